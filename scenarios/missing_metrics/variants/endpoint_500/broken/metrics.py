"""Every page is to say which build it comes from. The file with the build's number is not in the image."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from lab.rag import metrics

BUILD = Path("/etc/rag/build.txt")


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """The number is read for each page: one exception, and the whole page is a `500 Internal Server Error`."""
    build = Gauge("rag_build_number", "The build that answers.", registry=registry)
    build.set_function(lambda: float(BUILD.read_text(encoding="utf-8")))
    metrics.serve(registry, host, port)
