"""The part of prometheus.yml that sends every sample on to a store."""

from __future__ import annotations

EXAMPLE_URL = "http://victoria-metrics:8428/api/v1/write"


def config(url: str = EXAMPLE_URL) -> str:
    """YAML. What else replicas need differs from store to store: docs/advise.md."""
    return f"remote_write:\n  - url: {url}\n"
