"""TODO: the deployment that hurts. As it stands it is as healthy as fixed/, and a run fails because nothing breaks."""

from prometheus_client import Counter

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics, with the counter of queries declared and fed here."""

    def declare_queries(self) -> Counter:
        """The counter of queries."""
        return Counter(
            "rag_queries",
            "Queries answered.",
            ["cache_status", "model", "status"],
            registry=self.registry,
        )

    def count_query(self, query: QueryRecord) -> None:
        """Count one."""
        self.queries.labels(query.cache_status, query.model, query.status).inc()
