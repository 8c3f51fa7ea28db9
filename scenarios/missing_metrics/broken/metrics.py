"""The start-up was tidied up, and the line that started the metrics server went with it."""

from prometheus_client import CollectorRegistry


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Everything is counted, and nobody can read it: nothing listens on the port."""
