"""Conditions on a sampled number: above, below, growing no faster than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab import signals
from lab.scenario import Check
from lab.view import View


def number(value: float) -> str:
    """Six digits, and a million as 1,000,000."""
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"


@dataclass(frozen=True)
class Threshold:
    """A sample above or below a limit."""

    signal: str
    label: str
    op: Literal["above", "below"]
    limit: float

    @property
    def expected(self) -> str:
        """Such as "head series > 10,000"."""
        return f"{self.label} {'>' if self.op == 'above' else '<'} {number(self.limit)}"

    def level(self, speed: float) -> float:
        """The limit in the unit of the samples of a run."""
        return self.limit

    def at(self, view: View, t: float) -> bool | None:
        """None where nothing was sampled."""
        value = view.history.value(self.signal, t)
        if value is None:
            return None
        level = self.level(view.header.speed)
        return value > level if self.op == "above" else value < level

    def observed(self, view: View, t: float) -> str:
        """The number."""
        value = view.history.value(self.signal, t)
        return "no data" if value is None else number(value)


@dataclass(frozen=True)
class Flat:
    """A sample that grows by less than `limit` a second, by least squares over the last `window_s` seconds."""

    signal: str
    label: str
    limit: float
    window_s: float = 8.0

    @property
    def expected(self) -> str:
        """Such as "head series grow by < 20/s"."""
        return f"{self.label} grow by < {self.limit:g}/s"

    def _slope(self, view: View, t: float) -> float | None:
        window = view.window_s(self.window_s)
        points = view.history.series(self.signal, max(t - window, view.start), t)
        if len(points) < 4 or points[-1][0] - points[0][0] < 0.6 * window:
            return None
        mean_t = sum(p[0] for p in points) / len(points)
        mean_v = sum(p[1] for p in points) / len(points)
        spread = sum((p[0] - mean_t) ** 2 for p in points)
        return sum((p[0] - mean_t) * (p[1] - mean_v) for p in points) / spread

    def at(self, view: View, t: float) -> bool | None:
        """None until there is a window's worth of samples of this phase."""
        slope = self._slope(view, t)
        return None if slope is None else slope < self.limit

    def observed(self, view: View, t: float) -> str:
        """The slope."""
        slope = self._slope(view, t)
        return "no data" if slope is None else f"{slope:+,.1f}/s"


@dataclass(frozen=True)
class sampled:  # noqa: N801 - reads as a word of the vocabulary
    """A number that the lab samples once a second, by its name in `lab.signals`."""

    signal: str
    label: str

    def above(self, limit: float) -> Check:
        """Greater than `limit`."""
        condition = Threshold(self.signal, self.label, "above", limit)
        return Check(condition.expected, condition)

    def below(self, limit: float) -> Check:
        """Less than `limit`."""
        condition = Threshold(self.signal, self.label, "below", limit)
        return Check(condition.expected, condition)

    def flat(self, per_second: float) -> Check:
        """Grows by less than `per_second` each real second."""
        return Check(f"{self.label} flat", Flat(self.signal, self.label, per_second))


head_series = sampled(signals.HEAD_SERIES, "head series")
