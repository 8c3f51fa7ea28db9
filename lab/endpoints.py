"""Names and ports of the services as compose/ spells them, and what the stack calls those ports."""

from __future__ import annotations

from lab.services import alertmanager, host, prometheus, rag, receiver

PATIENT, OBSERVER = "prometheus", "observer"

ENDPOINTS = {
    "rag:8000": ("rag", rag.PORT),
    "rag:8001": ("rag", rag.METRICS_PORT),
    "prometheus:9090": (PATIENT, prometheus.PORT),
    "observer:9090": (OBSERVER, prometheus.PORT),
    "alertmanager:9093": ("alertmanager", alertmanager.PORT),
    "receiver:9099": ("receiver", receiver.PORT),
    "host:9100": ("host", host.PORT),
}
"""Names and ports as compose/ spells them -> service and named port."""


def container_port(service: str, port: str) -> int:
    """The number of a named port inside a container; a server of another name has Prometheus' own."""
    for name, endpoint in ENDPOINTS.items():
        if endpoint == (service, port):
            return int(name.rpartition(":")[2])
    return 9090
