"""The same application without retrieval, cache and metrics: what the benchmark compares the service with."""

import dataclasses

from prometheus_client import CollectorRegistry

from lab.rag.cache import CachedAnswer
from lab.rag.corpus import Document
from lab.rag.index import Found
from lab.rag.log import EventLog
from lab.rag.metrics import Gauges, Metrics
from lab.rag.record import QueryRecord
from lab.rag.recorder import Recorder
from lab.rag.service import Service, build
from lab.rag.settings import Settings


class NoCache:
    """Keeps nothing."""

    kind = "none"

    async def get(self, key: str) -> CachedAnswer | None:
        """Always a miss."""
        return None

    async def put(self, key: str, answer: CachedAnswer) -> None:
        """Forgets it."""

    def entries(self) -> int:
        """Always none."""
        return 0

    async def refresh(self) -> None:
        """Nothing to refresh."""

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to let go of."""


class NoIndex:
    """Finds nothing."""

    def search(self, query: str, top_k: int) -> Found:
        """No documents."""
        return Found((), ())

    def find(self, ids: tuple[str, ...]) -> tuple[Document, ...] | None:
        """No documents."""
        return None

    async def ping(self) -> None:
        """Always there."""


class NoMetrics(Metrics):
    """Counts nothing."""

    def __init__(self) -> None:
        super().__init__(CollectorRegistry())

    def record(self, query: QueryRecord) -> None:
        """Forgets it."""

    def watch(self, gauges: Gauges, info: dict[str, str]) -> None:
        """Watches nothing."""


def build_bare(settings: Settings, log: EventLog) -> Service:
    """A service that only takes the query, asks the model, logs, and books the cost."""
    service = build(settings, NoMetrics(), log)
    service.pipeline = dataclasses.replace(
        service.pipeline,
        cache=NoCache(),
        index=NoIndex(),
        recorder=Recorder(log.query, service.costs.record),
    )
    return service
