"""Replicas of the service at a scale: how one is run, and how a server that scrapes the service scrapes them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lab import serveryaml
from lab.runtime.protocol import ServiceSpec
from lab.scale import Replicas
from lab.services import rag

JOB = "rag-replicas"
PORT = 8001
TARGET = "rag:8001"
"""The service's own metrics, as compose/ spells them: where they are scraped, the replicas are."""


def names(replicas: Replicas | None) -> tuple[str, ...]:
    """What the replicas are called; none without a scale."""
    return tuple(f"rag-{number}" for number in range(1, replicas.count + 1)) if replicas else ()


def spec(name: str, listen: str, replicas: Replicas, speed: float, seed: int, metrics: Path | None) -> ServiceSpec:
    """How to run one, with a deployment's `metrics.py`. `seed`: its own, so that no two have the same queries."""
    host, _, port = listen.rpartition(":")
    argv = [
        sys.executable, "-m", "lab.rag.replica", "--host", host, "--port", port, "--seed", str(seed),
        "--series", str(replicas.each), "--series-per-s", f"{replicas.series_per_s(speed):.6g}",
    ]  # fmt: skip
    if metrics is not None:
        argv += ["--metrics", str(metrics)]
    return ServiceSpec(
        name, tuple(argv), ready_path="/-/ready", ready_port=rag.METRICS_PORT, stop_grace_s=3.0, like="rag",
        start_timeout_s=60.0, reads=(metrics.parent,) if metrics else (),
    )  # fmt: skip


def with_replicas(config: str, replicas: Sequence[str]) -> str:
    """A Prometheus configuration in which they have a job like the service's; unchanged without any."""
    if not replicas:
        return config
    document = serveryaml.load(config)
    like = [job for job in document.get("scrape_configs") or [] if TARGET in str(job.get("static_configs"))]
    targets = [f"{name}:{PORT}" for name in replicas]
    for job in like:
        more = {**job, "job_name": JOB, "static_configs": [{"targets": targets}]}
        document["scrape_configs"].append(more)
    return serveryaml.dump(document)
