"""The counter of queries got a nicer name. Every panel, rule and alert still asks for the old one."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord

LABELS = ["cache_status", "model", "status"]


class Metrics(metrics.Metrics):
    """The service's metrics, one of them under another name."""

    def declare_queries(self) -> Counter:
        return self.declare("rag_requests")

    def declare(self, name: str) -> Counter:
        counter = Counter(name, "Queries answered.", LABELS, registry=self.registry)
        counter.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            counter.labels("miss", model, "success")
            counter.labels("miss", model, "error")
        return counter

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status).inc()
