"""The metrics server is started again, before the first query is served; on a port that is taken, the start fails."""

from prometheus_client import CollectorRegistry

from lab.rag import metrics


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Everything is counted, and Prometheus reads it at `/metrics`."""
    metrics.serve(registry, host, port)
