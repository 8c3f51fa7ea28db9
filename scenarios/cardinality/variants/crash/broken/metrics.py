"""Queries counted by what was asked: every question that nobody has asked before is a series of its own."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics, with one counter that has no bound."""

    def declare_queries(self) -> Counter:
        return Counter(
            "rag_queries",
            "Queries answered.",
            ["cache_status", "model", "status", "query_text"],
            registry=self.registry,
        )

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status, query.query_text).inc()
