"""The counter of queries is back, with its label sets from the start: before the first query a page has them, too."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """All of the service's metrics. A counter is an interface, like a route: a smoke test asks for it by name."""

    def declare_queries(self) -> Counter:
        labels = ["cache_status", "model", "status"]
        queries = Counter("rag_queries", "Queries answered.", labels, registry=self.registry)
        queries.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            queries.labels("miss", model, "success")
            queries.labels("miss", model, "error")
        return queries

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status).inc()
