"""The first version of the service's metrics: how many queries, and how long they take."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """Without what went wrong, what the cache answered, what was spent, and what the provider still allows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.queries = Counter("rag_queries", "Queries.", registry=registry)
        self.durations = Histogram("rag_query_duration_seconds", "Time to answer a query.", registry=registry)
        self.documents = Histogram("rag_documents_retrieved", "Documents found for a query.", registry=registry)

    def watch(self, gauges: metrics.Gauges, info: dict[str, str]) -> None:
        """There are no gauges yet."""

    def count_error(self, error_type: str, component: str) -> None:
        """Errors are in the log."""

    def record(self, query: QueryRecord) -> None:
        """Count one finished query."""
        self.queries.inc()
        self.durations.observe(query.duration_s)
        self.documents.observe(query.documents or 0)
