"""The timeline of a run: samples once a second and events, queried by time. Pure; no I/O."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lab.events import Event

E = TypeVar("E", bound=Event)

STALE_S = 3.5
"""A value older than this many seconds says nothing about now: the sampler ticks once a second."""


@dataclass(frozen=True)
class Sample:
    """What the servers answered in one tick: names to numbers, only what was answered."""

    t: float
    values: Mapping[str, float]


@dataclass
class History:
    """Samples and events in order of time."""

    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, entry: Sample | Event) -> None:
        """Append a sample, or an event (events may arrive late: a signal is read back)."""
        if isinstance(entry, Sample):
            self.samples.append(entry)
        else:
            self.events.append(entry)

    def names(self) -> set[str]:
        """Every name that was answered for at some moment."""
        found: set[str] = set()
        for sample in self.samples:
            found.update(sample.values)
        return found

    def _between(self, start: float, end: float) -> list[Sample]:
        low = bisect_left(self.samples, start, key=lambda s: s.t)
        high = bisect_right(self.samples, end, key=lambda s: s.t)
        return self.samples[low:high]

    def ticks(self, start: float, end: float) -> list[float]:
        """The moments in [start, end] at which the lab looked."""
        return [sample.t for sample in self._between(start, end)]

    def value(self, name: str, t: float) -> float | None:
        """The last answer at or before `t` that is not stale; None where there is none."""
        for sample in reversed(self._between(t - STALE_S, t)):
            found = sample.values.get(name)
            if found is not None and not math.isnan(found):
                return found
        return None

    def last(self, name: str, t: float) -> tuple[float, float] | None:
        """The last answer for `name` at or before `t` as (t, value), however old; None where there is none."""
        high = bisect_right(self.samples, t, key=lambda s: s.t)
        found = (self.samples[i] for i in range(high - 1, -1, -1) if name in self.samples[i].values)
        return next(((s.t, s.values[name]) for s in found), None)

    def series(self, name: str, start: float, end: float) -> list[tuple[float, float]]:
        """All answers for `name` in [start, end] as (t, value)."""
        return [(s.t, s.values[name]) for s in self._between(start, end) if name in s.values]

    def mean(self, name: str, start: float, end: float) -> float | None:
        """The mean of the answers in [start, end]; None without any."""
        points = self.series(name, start, end)
        return sum(v for _, v in points) / len(points) if points else None

    def of(self, kind: type[E], start: float = -math.inf, end: float = math.inf) -> Iterator[E]:
        """The events of one kind in [start, end], as they were recorded."""
        for event in self.events:
            if isinstance(event, kind) and start <= event.t <= end:
                yield event

    def first(self, kind: type[E], start: float = -math.inf, **want: object) -> E | None:
        """The earliest event of a kind from `start` on whose fields equal `want`."""
        fitting = [e for e in self.of(kind, start) if all(getattr(e, k) == v for k, v in want.items())]
        return min(fitting, key=lambda e: e.t) if fitting else None

    @property
    def end(self) -> float:
        """The last moment that anything is known of; 0.0 for an empty history."""
        return max((x[-1].t for x in (self.samples, self.events) if x), default=0.0)
