"""The same leak under another name: a request id in place of the moment."""

from prometheus_client import Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    def declare_durations(self) -> Histogram:
        return Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status", "request_id"],
            buckets=metrics.DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe_duration(self, query: QueryRecord) -> None:
        self.durations.labels(query.endpoint, query.cache_status, query.query_id).observe(query.duration_s)
