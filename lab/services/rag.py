"""The mock RAG service as a service of the stack. A deployment replaces its `metrics.py`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from lab.runtime.protocol import ServiceSpec

PORT, METRICS_PORT = "http", "metrics"


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
        "rag", tuple(argv), ready_path="/health", ready_port=PORT, env=env, memory_mib=memory_mib, stop_grace_s=3.0
    )
