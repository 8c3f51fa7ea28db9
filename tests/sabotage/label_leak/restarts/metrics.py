"""The leak stays, and the process ends itself before it is killed: the orchestrator starts it again."""

import os
import threading

from prometheus_client import Histogram

from lab.rag import metrics
from lab.rag.record import QueryRecord

EVERY_S = 12.0


class Metrics(metrics.Metrics):
    def declare_durations(self) -> Histogram:
        timer = threading.Timer(EVERY_S, os._exit, [0])
        timer.daemon = True
        timer.start()
        return Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status", "timestamp"],
            buckets=metrics.DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe_duration(self, query: QueryRecord) -> None:
        self.durations.labels(query.endpoint, query.cache_status, str(query.timestamp)).observe(query.duration_s)
