"""The old name is served beside the new one, until the last panel, rule and alert has moved."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord

LABELS = ["cache_status", "model", "status"]


class Metrics(metrics.Metrics):
    """The service's metrics, one of them under both of its names."""

    def declare_queries(self) -> Counter:
        self.requests = self.declare("rag_requests")
        return self.declare("rag_queries")

    def declare(self, name: str) -> Counter:
        counter = Counter(name, "Queries answered.", LABELS, registry=self.registry)
        counter.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            counter.labels("miss", model, "success")
            counter.labels("miss", model, "error")
        return counter

    def count_query(self, query: QueryRecord) -> None:
        for counter in (self.requests, self.queries):
            counter.labels(query.cache_status, query.model, query.status).inc()
