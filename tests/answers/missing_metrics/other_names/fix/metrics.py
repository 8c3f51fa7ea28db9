"""A learner's fix: the counter is back, under the name that it has in their own service."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.pricing import CACHED, CHAT_MODELS
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics, the counter of queries under their own name."""

    def declare_queries(self) -> Counter:
        labels = ["cache_status", "model", "status"]
        questions = Counter("shop_questions", "Questions answered.", labels, registry=self.registry)
        questions.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            questions.labels("miss", model, "success")
            questions.labels("miss", model, "error")
        return questions

    def count_query(self, query: QueryRecord) -> None:
        self.queries.labels(query.cache_status, query.model, query.status).inc()
