"""The label stays, and the histogram is emptied now and then: memory is flat, and every query is still new series."""

from prometheus_client import Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord

EVERY = 300
"""Queries."""


class Metrics(metrics.Metrics):
    observed = 0

    def declare_durations(self) -> Histogram:
        return Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status", "timestamp"],
            buckets=metrics.DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe_duration(self, query: QueryRecord) -> None:
        self.observed += 1
        if self.observed % EVERY == 0:
            self.durations.clear()
        self.durations.labels(query.endpoint, query.cache_status, str(query.timestamp)).observe(query.duration_s)
