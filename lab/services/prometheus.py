"""Prometheus: its configuration at a speed and at our addresses, its flags, its readiness."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab import compose, serveryaml
from lab.errors import UsageError
from lab.install import Binary, flags
from lab.runtime.protocol import ServiceSpec, VolumeSpec
from lab.timescale import compress_prometheus_config, compress_rules

PORT = "http"
SERVERS = ("prometheus", "observer")
"""What compose.yaml calls them; any other one is run as the first."""
LOOKBACK_S = 300.0
"""Prometheus' own default for --query.lookback-delta, in seconds."""
RESEND_S = 60.0
"""Prometheus' own default for --rules.alert.resend-delay, in seconds."""

Addresses = Mapping[str, str]
"""`service:port` as compose/ spells it, to `host:port` where it answers in this run."""


def min_scrapes(binary: Binary) -> int:
    """Scrapes that a range must hold: ranges are left-open from 3.0 on, so one sample more is needed."""
    return 5 if binary.version >= (3,) else 3


def render_config(text: str, speed: float, addresses: Addresses) -> str:
    """A configuration file at a speed, with every known target replaced by its address.

    `instance` keeps the name that compose/ gives, so that rules and dashboards see the same labels everywhere.
    """
    config = serveryaml.load(compress_prometheus_config(text, speed))
    for job in config.get("scrape_configs") or []:
        job["static_configs"] = [c for group in job.get("static_configs") or [] for c in _moved(group, addresses)]
    for manager in (config.get("alerting") or {}).get("alertmanagers") or []:
        for group in manager.get("static_configs") or []:
            group["targets"] = [addresses.get(t, t) for t in group.get("targets") or []]
    return serveryaml.dump(config)


def _moved(group: Mapping[str, object], addresses: Addresses) -> list[dict[str, object]]:
    targets = group.get("targets") or []
    labels = group.get("labels") or {}
    assert isinstance(targets, list)
    assert isinstance(labels, dict)
    return [{"targets": [addresses.get(t, t)], "labels": {"instance": t, **labels}} for t in targets]


def write_config(
    folder: Path, config: str, rules: Mapping[str, str], binary: Binary, speed: float, addresses: Addresses,
    *, rules_speed: float | None = None,
) -> Path:  # fmt: skip
    """Write a configuration and its rule files (relative name -> production text) for one run; the path of it.

    `rules_speed`: the rules' own speed where it is not the scrapes' (a server whose history is back-filled).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.rglob("*.yml"):
        old.unlink()
    for name, text in rules.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        compressed = compress_rules(text, rules_speed or speed, filename=name, min_scrapes=min_scrapes(binary))
        path.write_text(compressed, encoding="utf-8")
    path = folder / "prometheus.yml"
    path.write_text(render_config(config, speed, addresses), encoding="utf-8")
    return path


def spec(
    name: str, binary: Binary, config: Path, data: Path, volume: VolumeSpec, listen: str, speed: float,
    *, more: Mapping[str, str] | None = None,
) -> ServiceSpec:  # fmt: skip
    """How to run one Prometheus. Flags that this build lacks are an error of the build's, not passed over."""
    known = flags(binary)
    like = name if name in SERVERS else SERVERS[0]
    wanted = {
        **compose.load()[like].flags(),
        "--config.file": str(config),
        "--storage.tsdb.path": str(data),
        "--web.listen-address": listen,
        "--query.lookback-delta": _seconds(LOOKBACK_S / speed),
        "--rules.alert.resend-delay": _seconds(RESEND_S / speed),
    }
    if lacking := sorted(flag for flag in wanted if flag not in known):
        raise UsageError(f"{binary.path}: this Prometheus has no {', '.join(lacking)}; use another version")
    wanted.update({f"--{flag}": value for flag, value in (more or {}).items()})  # some that work are not in --help
    argv = [str(binary.path), *(f"{flag}={value}" for flag, value in wanted.items())]
    if "--storage.tsdb.no-lockfile" in known:
        argv.append("--storage.tsdb.no-lockfile")
    return ServiceSpec(
        name, tuple(argv), ready_path="/-/ready", ready_port=PORT, volume=volume, stop_grace_s=8.0,
        reads=(config.parent,), like=like,
    )  # fmt: skip


def _seconds(value: float) -> str:
    """A duration flag; milliseconds, since a compressed one is seldom whole."""
    return f"{max(1, round(value * 1000))}ms"
