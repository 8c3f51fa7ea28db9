"""A service in the test's own process, and everything that can be seen of it."""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from lab.rag.app import create_app
from lab.rag.log import BufferedHandler, EventLog, LineFormatter
from lab.rag.metrics import Metrics, new_registry
from lab.rag.service import Service, build
from lab.rag.settings import Settings

TOKEN = "let-me-in"


class Client:
    """Sends requests into the application and waits for the answers; `host` is where they seem to come from."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1") -> None:
        self.runner = asyncio.Runner()
        # An exception of ours is a status 500, as for a user.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 50000))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://rag")

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.http.get(path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.http.post(path, **options))


@contextlib.contextmanager
def client_of(app: FastAPI, host: str = "127.0.0.1") -> Iterator[Client]:
    client = Client(app, host)
    lifespan = app.router.lifespan_context(app)
    with client.runner:
        client.runner.run(lifespan.__aenter__())
        yield client
        client.runner.run(lifespan.__aexit__(None, None, None))


@dataclass
class Seen:
    """A running service: its client, its metrics, its log."""

    client: Client
    service: Service
    registry: CollectorRegistry
    stream: io.StringIO = field(default_factory=io.StringIO)

    def ask(self, query: str = "How do I restart a service?", **more: Any) -> Any:
        return self.client.post("/query", json={"query": query, "user_id": "user-1", **more})

    def turn(self, **switches: Any) -> Any:
        return self.client.post("/admin/switches", json=switches, headers={"X-Admin-Token": TOKEN})

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def lines(self) -> list[dict[str, Any]]:
        self.service.log.flush()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


Start = Callable[..., Seen]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a service: `start(llm_error_rate=1.0, metrics_type=Mine)`."""
    with contextlib.ExitStack() as stack:

        def started(metrics_type: type[Metrics] = Metrics, host: str = "127.0.0.1", **settings: Any) -> Seen:
            stream = io.StringIO()
            handler = BufferedHandler(stream)
            handler.setFormatter(LineFormatter("rag", "test"))
            options = Settings(**{"admin_token": TOKEN, "llm_latency_ms": 0.0, **settings})
            registry = new_registry()
            service = build(options, metrics_type(registry), EventLog(handler))
            client = stack.enter_context(client_of(create_app(service), host))
            return Seen(client, service, registry, stream)

        yield started
