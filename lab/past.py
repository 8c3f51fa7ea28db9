"""The past that a server begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Backfill:
    """The past that the patient's Prometheus begins with: one counter, at production scrape intervals.

    `shares`: label sets, and each one's share of the queries; all `replicas` of the service count the same sets.
    `per_second`: queries a second of all replicas together, by `swing` more by day and less by night.
    A deployment that brings recording rules has them back-filled over it.
    """

    counter: str
    shares: tuple[tuple[Mapping[str, str], float], ...]
    replicas: int
    per_second: float
    hours: int = 48
    step_s: int = 30
    swing: float = 0.4
    job: str = "rag"

    @property
    def series(self) -> int:
        """How many series."""
        return len(self.shares) * self.replicas
