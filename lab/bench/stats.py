"""The statistics of a comparison: median and its bootstrap interval, exact rank-sum test, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
LEVEL = 0.95
"""Of the intervals."""
ALPHA = 0.05
"""At most this share of comparisons of unchanged things finds a change anywhere."""
_SEED = 20_260_101
"""The same values give the same interval, always."""


@dataclass(frozen=True)
class Summary:
    """Repeated measurements of one figure. `spread`: between the quartiles; `low`, `high`: bootstrap of the median."""

    runs: int
    median: float
    spread: float
    low: float
    high: float


def summary(values: Sequence[float]) -> Summary:
    """Median, spread, and the percentile bootstrap interval of the median. Raises `ValueError` without values."""
    if not values:
        raise ValueError("no values")
    found = np.asarray(values, dtype=float)
    quarter, middle, three = np.quantile(found, (0.25, 0.5, 0.75))
    low, high = _bounds(_medians(found, np.random.default_rng(_SEED)))
    return Summary(len(found), float(middle), float(three - quarter), low, high)


def change_interval(before: Sequence[float], now: Sequence[float]) -> tuple[float, float] | None:
    """Bootstrap interval of the relative change of the median, 0.3 for +30 %; None where the baseline is 0."""
    rng = np.random.default_rng(_SEED)
    old, new = (_medians(np.asarray(values, dtype=float), rng) for values in (before, now))
    if np.any(old <= 0):
        return None
    return _bounds(new / old - 1)


def _medians(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    picked = rng.integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(np.median(values[picked], axis=1))


def _bounds(found: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def rank_sum_p(before: Sequence[float], now: Sequence[float]) -> float:
    """Two-sided p of the Wilcoxon-Mann-Whitney test, exact with ties too: all ways to share the ranks out are counted.

    1 where either side has no values.
    """
    n, both = len(before), np.asarray([*before, *now], dtype=float)
    if not n or n == len(both):
        return 1.0
    ranks = _doubled_ranks(both)
    ways = _ways(tuple(sorted(ranks.tolist())), n)
    sums = np.arange(len(ways))
    middle = n * (len(both) + 1)  # twice the expected rank sum
    as_far = np.abs(sums - middle) >= abs(int(ranks[:n].sum()) - middle)
    return float(min(1.0, ways[as_far].sum() / ways.sum()))


def _doubled_ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ranks from 1, equal values sharing the mean of theirs; doubled, so that they are whole numbers."""
    ordered = np.sort(values)
    below, upto = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray(below + upto + 1, dtype=np.int64)


@lru_cache(maxsize=256)  # without ties the ranks are the same for every figure
def _ways(ranks: tuple[int, ...], picked: int) -> NDArray[np.float64]:
    """How many choices of `picked` of the ranks have each sum."""
    ways = np.zeros((picked + 1, sum(ranks[-picked:]) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] = ways[1:, rank:] + ways[:-1, : ways.shape[1] - rank]
    return np.asarray(ways[picked])


def least_p(before: int, now: int) -> float:
    """The smallest p that samples of these sizes can give."""
    return min(1.0, 2 / math.comb(before + now, before))


def holm(found: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p values adjusted for how many there are, in their order."""
    adjusted = [0.0] * len(found)
    worst = 0.0
    for step, index in enumerate(sorted(range(len(found)), key=lambda i: found[i])):
        worst = max(worst, min(1.0, found[index] * (len(found) - step)))
        adjusted[index] = worst
    return adjusted
