"""Durations labelled with the moment of the query: every request is a histogram of its own, kept for ever."""

from prometheus_client import Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """The service's metrics, with one histogram that never forgets."""

    def declare_durations(self) -> Histogram:
        return Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status", "timestamp"],
            buckets=metrics.DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe_duration(self, query: QueryRecord) -> None:
        self.durations.labels(query.endpoint, query.cache_status, str(query.timestamp)).observe(query.duration_s)
