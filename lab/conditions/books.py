"""Conditions on the service's own books of what it spent, which no metric can gloss over."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.conditions.values import Threshold
from lab.conditions.workload import growth
from lab.per_time import PerTime
from lab.scenario import Check
from lab.view import View

COSTS = "rag_total_cost_usd_total"


@dataclass(frozen=True)
class Spent(Threshold):
    """Dollars in the books since the service was started, above a limit, as they would have been spent in real time.

    What is spent in an hour comes to the same at any speed (`PerTime`); a minute of a run stands for `speed` minutes.
    """

    def level(self, speed: float) -> float:
        """Of a run: a part of the real one."""
        return PerTime(self.limit).at(speed)

    def at(self, view: View, t: float) -> bool | None:
        """None where the books can't be read."""
        return None if t < view.zero else super().at(view, t)

    def observed(self, view: View, t: float) -> str:
        """The sum, and how long it took."""
        value = view.history.value(self.signal, t)
        minutes = (t - view.zero) * view.header.speed / 60
        if value is None:
            return "no data"
        return f"{value * view.header.speed:,.2f} USD after {minutes:.1f} simulated minutes"


@dataclass(frozen=True)
class Booked:
    """The counter of costs grows as fast as the books, within `tolerance`, over at least `window_s` real seconds."""

    metric: str = COSTS
    tolerance: float = 0.25
    window_s: float = 8.0

    @property
    def _counter(self) -> str:
        return signals.counted(self.metric)

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.metric} grows as the books do, within {self.tolerance:.0%}"

    def _rates(self, view: View, t: float) -> tuple[float, float] | None:
        window = view.window_s(self.window_s)
        start = max(t - window, view.settled)
        counted, booked = (growth(view, name, start, t, window) for name in (self._counter, signals.SPENT_USD))
        return None if counted is None or booked is None else (counted, booked)

    def at(self, view: View, t: float) -> bool | None:
        """False without the counter: deleting it saves nothing. None where nothing is spent or known."""
        if t > view.settled and view.history.value(self._counter, t) is None:
            return False
        rates = self._rates(view, t)
        if rates is None or rates[1] <= 0:
            return None
        return abs(rates[0] - rates[1]) <= self.tolerance * rates[1]

    def observed(self, view: View, t: float) -> str:
        """Both, in dollars an hour."""
        if view.history.value(self._counter, t) is None:
            return f"{self.metric} has no samples"
        rates = self._rates(view, t)
        return (
            "too few samples"
            if rates is None
            else f"{3600 * rates[0]:,.2f} USD/h counted, {3600 * rates[1]:,.2f} booked"
        )


@dataclass(frozen=True)
class books:  # noqa: N801 - reads as a word of the vocabulary
    """The books of the service, at its `/costs`."""

    def above(self, usd: float) -> Check:
        """More than so many dollars since the service was started."""
        condition = Spent(signals.SPENT_USD, "US dollars in the books", "above", usd)
        return Check("dollars burnt", condition)

    def agree(self) -> Check:
        """The counter of costs says what the books say."""
        return Check("costs still counted", Booked())
