"""Queries counted by who asked: ten thousand users are ten thousand series, and then some more."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics, with one counter that has no bound."""

    def declare_queries(self) -> Counter:
        return Counter(
            "rag_queries",
            "Queries answered.",
            ["cache_status", "model", "status", "user_id"],
            registry=self.registry,
        )

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status, query.user_id).inc()
