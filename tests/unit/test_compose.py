"""compose.yaml is read as Compose reads it, and the three ways to start a server agree on its flags."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from lab import compose
from lab.endpoints import ENDPOINTS
from lab.install import Binary
from lab.load_elsewhere import WAIT_S
from lab.load_processes import Processes, master_options
from lab.runtime.protocol import VolumeSpec
from lab.services import alertmanager, prometheus

ROOT = Path(__file__).resolve().parents[2]
RAW = yaml.safe_load((ROOT / "compose" / "compose.yaml").read_text(encoding="utf-8"))
SERVERS = ("prometheus", "observer", "alertmanager")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${A:-x}", "x"),
        ("${B:-x}", "b"),
        ("${EMPTY:-x}", "x"),
        ("${A}", ""),
        ("p${B}q${A:-y}", "pbqy"),
        ("${A:-1:2/3}", "1:2/3"),
        ("$$B", "$B"),
        ("$5", "$5"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, filled: str) -> None:
    assert compose.fill(text, {"B": "b", "EMPTY": ""}) == filled


def test_an_image_can_be_named_from_outside() -> None:
    plain = compose.load({})["prometheus"]
    assert plain.image == "prom/prometheus:v3.5.0"
    assert plain.image_variable == "LAB_PROMETHEUS_IMAGE"
    named = compose.load({"LAB_PROMETHEUS_IMAGE": "mine:1"})
    assert named["prometheus"].image == named["observer"].image == "mine:1"


@pytest.mark.parametrize("name", RAW["services"])
def test_every_service_is_bounded_and_hardened(name: str) -> None:
    service = compose.load({})[name]
    assert service.user == "65534:65534"
    assert service.read_only
    assert service.cap_drop == ("ALL",)
    assert "no-new-privileges" in service.security
    assert 0 < service.memory_bytes <= 1 << 30
    assert 0 < service.pids <= 128
    for port in RAW["services"][name].get("ports", ()):
        assert port.startswith("127.0.0.1:${LAB_"), "published on loopback only, and the number can be changed"
    assert not any("docker.sock" in str(volume) for volume in RAW["services"][name].get("volumes", ()))


def test_only_the_host_exporter_sees_the_machines_processes() -> None:
    services = compose.load({}).services
    assert [name for name, service in services.items() if service.host_pids] == ["host"]


def test_ports_inside_are_those_that_configurations_name() -> None:
    services = compose.load({}).services
    for endpoint in ENDPOINTS:
        name, _, port = endpoint.partition(":")
        assert int(port) in services[name].ports, endpoint


def native(name: str, tmp: Path) -> dict[str, str]:
    known = frozenset(compose.load({})[name].flags())
    binary = Binary(name, Path("/x"), (3, 5, 0), "3.5.0", "flag", known)
    config, volume = tmp / "conf" / "c.yml", VolumeSpec("data")
    if name == "alertmanager":
        spec = alertmanager.spec(binary, config, tmp / "data", volume, "127.0.0.1:1")
    else:
        spec = prometheus.spec(name, binary, config, tmp / "data", volume, "127.0.0.1:1", 1.0)
    return dict(part.split("=", 1) for part in spec.argv if "=" in part)


WHERE = {"--config.file", "--storage.tsdb.path", "--storage.path", "--web.listen-address"}
"""Flags whose values are the run's own folders and ports."""


@pytest.mark.parametrize("name", SERVERS)
def test_native_servers_have_the_flags_of_compose_at_real_time(name: str, tmp_path: Path) -> None:
    mine, theirs = native(name, tmp_path), compose.load({})[name].flags()
    assert mine.keys() == theirs.keys()
    for flag in mine.keys() - WHERE:
        assert seconds(mine[flag]) == seconds(theirs[flag]), flag


def seconds(value: str) -> object:
    from lab.timescale import Duration

    try:
        return Duration.parse(value).seconds
    except ValueError:
        return value


def test_a_flag_that_compose_adds_reaches_the_native_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (ROOT / "compose" / "compose.yaml").read_text(encoding="utf-8").replace("time=25h", "time=99h")
    (tmp_path / "compose.yaml").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(compose, "compose_dir", lambda: tmp_path)
    assert native("prometheus", tmp_path)["--storage.tsdb.retention.time"] == "99h"


def test_files_that_compose_mounts_are_there() -> None:
    for name, body in RAW["services"].items():
        for volume in body.get("volumes", ()):
            source = compose.fill(volume, os.environ).split(":")[0]
            if source.startswith("."):
                assert (ROOT / "compose" / source).exists(), f"{name}: {source}"


def _options(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def test_the_profile_load_has_a_master_and_workers_as_the_lab_starts_them() -> None:
    processes = Processes("load", Path("locustfile.py"), {"LAB_SEED": "1"})
    bound = {"--master-bind-host", "--master-bind-port"}  # in a container it listens on the stack's own network
    master = _options(master_options("127.0.0.1:1", 2, 120.0)) - bound
    services = compose.load({})
    assert master <= _options(services["load"].command)
    worker = _options(processes.worker(1, "load:5557").argv)
    assert _options(services["load-worker"].command) - {"--locustfile"} <= worker
    assert {"--worker", "--master-host=load"} <= set(services["load-worker"].command)
    wait = next(word for word in services["load"].command if word.startswith("--expect-workers-max-wait="))
    assert float(wait.partition("=")[2]) >= WAIT_S


def test_one_variable_says_how_many_workers_there_are_and_how_many_are_awaited() -> None:
    load, worker = RAW["services"]["load"], RAW["services"]["load-worker"]
    awaited = next(word for word in load["command"] if word.startswith("--expect-workers="))
    assert awaited == f"--expect-workers={worker['scale']}"
    assert compose.fill(worker["scale"], {"LAB_WORKERS": "3"}) == "3"
    assert load["profiles"] == worker["profiles"] == ["load"]
    assert load["volumes"] == worker["volumes"], "the same locustfile"
