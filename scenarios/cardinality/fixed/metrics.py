"""Queries counted by labels that have a bound. Who asked what is in the structured log: one line a query."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics: at most seven series for the counter, whoever asks."""

    def declare_queries(self) -> Counter:
        queries = Counter(
            "rag_queries",
            "Queries answered.",
            ["cache_status", "model", "status"],
            registry=self.registry,
        )
        # From the start: rate() does not see a series' first step, the first error would go uncounted.
        queries.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            queries.labels("miss", model, "success")
            queries.labels("miss", model, "error")
        return queries

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status).inc()
