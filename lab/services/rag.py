"""The mock RAG service as a service of the stack. A deployment replaces its `metrics.py`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from lab.errors import LabError
from lab.per_time import PerTime
from lab.runtime.protocol import ServiceSpec
from lab.scenario import Wait

PORT, METRICS_PORT = "http", "metrics"


def options(given: Mapping[str, str | Wait | PerTime], speed: float) -> dict[str, str]:
    """A scenario's options at a speed, as the service reads them."""

    def text(value: str | Wait | PerTime) -> str:
        if isinstance(value, str):
            return value
        return f"{value.seconds(speed) if isinstance(value, Wait) else value.at(speed):g}"

    return {name: text(value) for name, value in given.items()}


def spec(
    listen: str, listen_metrics: str, *, log: Path, seed: int, options: Mapping[str, str], metrics: Path | None,
    memory_mib: float | None = None,
) -> ServiceSpec:  # fmt: skip
    """How to run it; `options` are RAG_* settings by their name without the prefix."""
    host, _, port = listen.rpartition(":")
    argv = [
        sys.executable, "-m", "lab.rag", "--host", host, "--port", port,
        "--metrics-port", listen_metrics.rpartition(":")[2], "--log-file", str(log), "--seed", str(seed),
    ]  # fmt: skip
    if metrics is not None:
        argv += ["--metrics", str(metrics)]
    env = {f"RAG_{name.upper()}": value for name, value in options.items()}
    return ServiceSpec(
        "rag", tuple(argv), ready_path="/health", ready_port=PORT, env=env, memory_mib=memory_mib, stop_grace_s=3.0,
        reads=(metrics.parent,) if metrics else (), writes=(log.parent,),
    )  # fmt: skip


def switch(address: str, token: str, switches: Mapping[str, float | None]) -> None:
    """Turn the admin switches of the service at `address`. Raises `LabError` when it refuses."""
    url = f"http://{address}/admin/switches"
    try:
        answer = httpx.post(url, json=dict(switches), headers={"X-Admin-Token": token}, timeout=5.0, trust_env=False)
    except httpx.HTTPError as error:
        raise LabError(f"{url}: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise LabError(f"{url}: HTTP {answer.status_code} {answer.text[:200]}")
