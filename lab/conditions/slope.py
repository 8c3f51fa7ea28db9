"""Conditions on how fast a service's memory grows, by a robust slope with its confidence interval.

A process is looked at by itself: no slope is ever taken over a deployment, an end or a restart of the service.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from lab import signals
from lab.events import Deployed, Exited, Restarted
from lab.scenario import Check, Phase, Wait
from lab.view import View, phase_window

Z95 = 1.96
LEAST_POINTS = 8
"""Fewer samples say nothing about a slope."""
MOST_POINTS = 200
"""Every second, third ... sample is taken of a longer series: slopes are of pairs."""
START = Wait(simulated_s=60, real_s=4)
"""After a start, caches and allocators fill; a service's steady growth is measured from then on."""


@dataclass(frozen=True)
class Slope:
    """Units per second: the middle of all slopes between two samples, and the bounds of 95 % confidence."""

    middle: float
    low: float
    high: float


@lru_cache(maxsize=256)
def theil_sen(points: tuple[tuple[float, float], ...]) -> Slope:
    """Theil and Sen's slope of (t, value); Sen's interval (1968) from the variance of Kendall's S, samples independent.

    One jump, say of an allocator, moves it little. Raises `ValueError` with fewer than two moments.
    """
    t, y = np.array(points, dtype=float).T
    i, j = np.triu_indices(len(t), 1)
    apart = t[j] - t[i]
    slopes = np.sort((y[j] - y[i])[apart > 0] / apart[apart > 0])
    if not len(slopes):
        raise ValueError("a slope needs two moments")
    n = len(t)
    spread = Z95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return Slope(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))


def lifetimes(view: View, service: str, start: float, end: float) -> list[tuple[float, float]]:
    """[start, end] cut into the lifetimes of single processes of a service."""
    history = view.history
    cuts = [e.t for e in history.of(Deployed, start, end)]
    cuts += [e.t for e in history.of(Exited, start, end) if e.service == service]
    cuts += [e.t for e in history.of(Restarted, start, end) if e.service == service]
    edges = [start, *sorted(cuts), end]
    return [(a, b) for a, b in pairwise(edges) if b > a]


@dataclass(frozen=True)
class FlatAgain:
    """The service's memory grows by less than `share` of what it grew by in `broken/`: the upper bound of the slope."""

    service: str
    share: float = 0.05
    window_s: float = 15.0

    @property
    def expected(self) -> str:
        """In words."""
        return f"memory of {self.service} grows by < {self.share:.0%} of what it did (upper bound of 95 %)"

    def broken(self, view: View) -> Slope | None:
        """How fast it grew: the first process of `broken/`, until it ended or the phase did."""
        window = phase_window(view.history, Phase.BROKEN)
        live = view.history.first(Deployed, what="broken")
        if window is None or live is None:
            return None
        start, end = lifetimes(view, self.service, live.t, window[1])[0]
        return self._of(view, start, end)

    def _of(self, view: View, start: float, end: float) -> Slope | None:
        points = view.history.series(signals.rss(self.service), start, end)
        if len(points) < LEAST_POINTS:
            return None
        return theil_sen(tuple(points[:: 1 + len(points) // MOST_POINTS]))

    def now(self, view: View, t: float) -> Slope | None:
        """Over the last window of the process that lives at `t`, past its start."""
        born = lifetimes(view, self.service, view.zero, t)[-1][0] if t > view.zero else t
        window = view.window_s(self.window_s)
        start = max(t - window, born + START.seconds(view.header.speed))
        return self._of(view, start, t) if t - start >= 0.6 * window else None

    def at(self, view: View, t: float) -> bool | None:
        """None until a process has lived for a window; None when `broken/` was not measured, or did not grow."""
        broken, now = self.broken(view), self.now(view, t)
        if broken is None or now is None or broken.low <= 0:
            return None
        return now.high < self.share * broken.middle

    def observed(self, view: View, t: float) -> str:
        """Both slopes, with the interval of the present one."""
        broken, now = self.broken(view), self.now(view, t)
        if now is None:
            return "no process has lived long enough"
        said = f"{now.middle / 1000:+,.0f} kB/s ({now.low / 1000:+,.0f} to {now.high / 1000:+,.0f})"
        return f"{said}, broken {broken.middle / 1000:+,.0f} kB/s" if broken else f"{said}, broken was not measured"


@dataclass(frozen=True)
class Grown:
    """The service's memory is `mib` above its mean in the steady phase."""

    service: str
    mib: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"memory of {self.service} {self.mib:g} MiB above steady"

    def _by(self, view: View, t: float) -> tuple[float, float] | None:
        now = view.history.value(signals.rss(self.service), t) if t >= view.zero else None
        steady = view.steady_mean(signals.rss(self.service))
        return None if now is None or steady is None else (now / 2**20, steady / 2**20)

    def at(self, view: View, t: float) -> bool | None:
        """None where it was not measured."""
        by = self._by(view, t)
        return None if by is None else by[0] - by[1] > self.mib

    def observed(self, view: View, t: float) -> str:
        """Both."""
        by = self._by(view, t)
        return "no data" if by is None else f"{by[0]:,.0f} MiB, steady {by[1]:,.0f} MiB"


@dataclass(frozen=True)
class memory:  # noqa: N801 - reads as a word of the vocabulary
    """The resident memory of a service, as its host sees it."""

    service: str

    def grown(self, *, mib: float) -> Check:
        """It is so much above what it was in the steady phase."""
        return Check(f"memory of {self.service} grows", Grown(self.service, mib))

    def flat_again(self) -> Check:
        """It no longer grows to speak of."""
        return Check(f"memory of {self.service} flat", FlatAgain(self.service))
