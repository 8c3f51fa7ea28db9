"""What a page needs is read once, at the start. What adorns the page can be absent; the page cannot."""

from math import nan
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from lab.rag import metrics

BUILD = Path("/etc/rag/build.txt")


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Every page comes, with the number or without."""
    build = Gauge("rag_build_number", "The build that answers.", registry=registry)
    build.set(float(BUILD.read_text(encoding="utf-8")) if BUILD.is_file() else nan)
    metrics.serve(registry, host, port)
