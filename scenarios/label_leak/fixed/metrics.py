"""Durations by endpoint and cache status: two histograms, however many queries. A sample has a timestamp anyway."""

from prometheus_client import Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics; the moment of each query is in the structured log."""

    def declare_durations(self) -> Histogram:
        return Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status"],
            buckets=metrics.DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe_duration(self, query: QueryRecord) -> None:
        self.durations.labels(query.endpoint, query.cache_status).observe(query.duration_s)
