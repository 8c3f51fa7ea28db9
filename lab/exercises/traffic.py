"""Eight days of a query counter as a Prometheus would have scraped it: seven normal days, and one with anomalies.

Busy by day and quiet by night. All anomalies but one lie inside the range of the seven days: more than is usual at
night is still less than at noon. So no fixed threshold sees them; the eighth day is judged, the rest is the baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400
STEP_S = 15
"""Between two scrapes."""
CHECK_S = 60
"""Between two checks."""
BASELINE_DAYS = 7
MEAN_QPS = 20.0
SWING = 0.6
"""By how much more than the mean is asked at the busiest time, and less at the quietest."""
LEVEL_SIGMA = 0.005
"""By how much days differ, as a share."""
ANOMALIES = 6
"""On the judged day: one in each four hours, so that none touches another."""
START = 20_000 * DAY_S
"""Unix seconds: midnight UTC."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Injected:
    """An anomaly: from `start` until `end` (Unix seconds) there are `factor` times as many queries as usual."""

    start: int
    end: int
    factor: float


@dataclass(frozen=True)
class Traffic:
    """The counter at each scrape, the first at `START`, and the anomalies of the last day."""

    seed: int
    counts: NDArray[np.int64]
    anomalies: tuple[Injected, ...]

    @property
    def times(self) -> Floats:
        """Unix seconds of the checks: the end of each minute."""
        checks = (len(self.counts) - 1) * STEP_S // CHECK_S
        return (START + CHECK_S * np.arange(1, checks + 1)).astype(np.float64)

    @property
    def values(self) -> Floats:
        """Queries a second in the minute before each check."""
        each_minute = self.counts[:: CHECK_S // STEP_S]
        return np.diff(each_minute) / CHECK_S

    @property
    def baseline(self) -> slice:
        """Which checks are the seven normal days."""
        return slice(0, BASELINE_DAYS * DAY_S // CHECK_S)

    @property
    def judged(self) -> slice:
        """Which checks are the day that is judged."""
        return slice(BASELINE_DAYS * DAY_S // CHECK_S, None)


@cache
def play(seed: int) -> Traffic:
    """The same days for the same seed."""
    random = np.random.default_rng(seed)
    steps = (BASELINE_DAYS + 1) * DAY_S // STEP_S
    seconds = np.arange(steps) * STEP_S
    usual = _usual(seconds)
    level = 1 + LEVEL_SIGMA * random.standard_normal(BASELINE_DAYS + 1)
    rate = usual * np.repeat(level, DAY_S // STEP_S)
    anomalies = _anomalies(random)
    for one in anomalies:
        rate[(seconds >= one.start - START) & (seconds < one.end - START)] *= one.factor
    counted = random.poisson(rate * STEP_S)
    return Traffic(seed, np.concatenate([[0], np.cumsum(counted, dtype=np.int64)]), anomalies)


def _usual(seconds: NDArray[np.int64]) -> Floats:
    """Queries a second, most at 15:00 UTC."""
    level: Floats = MEAN_QPS * (1 + SWING * np.sin(2 * np.pi * (seconds / DAY_S - 0.375)))
    return level


def _anomalies(random: np.random.Generator) -> tuple[Injected, ...]:
    slot = DAY_S // ANOMALIES
    outage = int(random.integers(ANOMALIES))
    found = []
    for number in range(ANOMALIES):
        begin = number * slot + int(random.integers(slot // 4, slot * 3 // 4)) // STEP_S * STEP_S
        length = int(random.integers(10, 21)) * 60
        busy = _usual(np.array([begin]))[0] > MEAN_QPS
        factor = 0.05 if number == outage else 0.6 if busy else 1.6
        start = START + BASELINE_DAYS * DAY_S + begin
        found.append(Injected(start, start + length, factor))
    return tuple(found)
