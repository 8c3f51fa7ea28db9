"""Scale: a scenario with more series than its traffic can bring, exposed by replicas of the service. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScaleName = Literal["quick", "class", "full"]
QUICK: ScaleName = "quick"
"""The scenario as it is, without replicas."""


@dataclass(frozen=True)
class Replicas:
    """Further replicas of the service, with users of their own (`lab.rag.replica`).

    Under a deployment that gives each query a series, `series` come to all of them together within `minutes` of
    simulated time. Above `top_speed` the machine that the scale was made for can't scrape them.
    """

    count: int
    series: int
    minutes: float
    top_speed: float

    @property
    def each(self) -> int:
        """Series of one replica."""
        return -(-self.series // self.count)

    def series_per_s(self, speed: float) -> float:
        """Series that come to one replica in a real second."""
        return self.each / (60 * self.minutes / speed)
