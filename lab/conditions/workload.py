"""Conditions against a vacuous cure: the queries are still counted, and new samples can be queried."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.conditions.traffic import ServedWell
from lab.scenario import Check
from lab.view import View


def growth(view: View, name: str, start: float, t: float, window_s: float) -> float | None:
    """Of a sample, per second, over looks that cover most of the window; None without."""
    points = view.history.series(name, start, t)
    if len(points) < 4 or points[-1][0] - points[0][0] < 0.6 * window_s:
        return None
    return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])


@dataclass(frozen=True)
class StillCounted:
    """The patient's counter grows as fast as the load generator is served, within `tolerance`."""

    metric: str = signals.QUERIES
    tolerance: float = 0.25
    window_s: float = 8.0

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.metric} grows with the traffic, within {self.tolerance:.0%}"

    def _rates(self, view: View, t: float) -> tuple[float, float] | None:
        window = view.window_s(self.window_s)
        start = max(t - window, view.start)
        counted = growth(view, signals.counted(self.metric), start, t, window)
        served = view.history.mean(signals.RPS, start, t)
        return None if not served or counted is None else (counted, served)

    def at(self, view: View, t: float) -> bool | None:
        """False without the metric: deleting it is no cure. None without traffic."""
        if view.history.value(signals.counted(self.metric), t) is None:
            return False if t > view.settled else None
        rates = self._rates(view, t)
        return None if rates is None else abs(rates[0] - rates[1]) <= self.tolerance * rates[1]

    def observed(self, view: View, t: float) -> str:
        """Both rates."""
        if view.history.value(signals.counted(self.metric), t) is None:
            return f"{self.metric} has no samples"
        rates = self._rates(view, t)
        return "too few samples" if rates is None else f"{rates[0]:,.0f}/s counted, {rates[1]:,.0f}/s served"


@dataclass(frozen=True)
class FreshSamples:
    """The newest sample of `rag_queries_total` in the patient is young: new samples are stored and queryable."""

    limit: float = 2.5
    """In scrape intervals."""

    @property
    def expected(self) -> str:
        """In words."""
        return "new samples of rag_queries_total are queryable"

    def _limit_s(self, view: View) -> float:
        return self.limit * max(1.0, view.scrape_s)

    def at(self, view: View, t: float) -> bool | None:
        """False without any sample."""
        age = view.history.value(signals.COUNTED_AGE_S, t)
        return False if age is None else age <= self._limit_s(view)

    def observed(self, view: View, t: float) -> str:
        """The age of the newest sample."""
        age = view.history.value(signals.COUNTED_AGE_S, t)
        return "no samples" if age is None else f"newest is {age:.1f} s old"


def queries_still_counted() -> Check:
    """The service's queries are counted after the fix, at the rate at which they are served."""
    return Check("queries still counted", StillCounted())


def still_counted(metric: str) -> Check:
    """Every query still counts in `metric`, such as a histogram's `_count`: what was cured is still there."""
    return Check(f"{metric} still counted", StillCounted(metric))


def fresh_samples() -> Check:
    """New samples are stored and can be queried."""
    return Check("new samples queryable", FreshSamples())


def served() -> Check:
    """The service goes on serving: queries flow and hardly any fails."""
    return Check("queries served", ServedWell())
