"""Conditions on the patient's full scrapes of a job: how long they take, and whether they bring new series."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.conditions.missing import Says
from lab.events import Exited, ScrapeFailed
from lab.scenario import Check
from lab.view import View

TIMEOUT = "deadline exceeded"


@dataclass(frozen=True)
class Chokes:
    """A full scrape takes longer than `seconds`, or times out, while the process still lives."""

    job: str
    seconds: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"a full scrape of {self.job} takes > {self.seconds:g} s or times out, before it is killed"

    def _first(self, view: View, t: float) -> tuple[float, str] | None:
        """The first that timed out, in the server's words; else the first that was slow."""
        ended = min((e.t for e in view.history.of(Exited, view.zero, t) if e.service == self.job), default=t)
        failed = view.history.of(ScrapeFailed, view.zero, ended)
        told = [(e.t, e.error) for e in failed if e.job == self.job and TIMEOUT in e.error]
        slow = view.history.series(signals.scrape_s(self.job), view.zero, ended)
        took = [(at, f"a scrape took {s:.2f} s") for at, s in slow if s > self.seconds]
        return min(told, default=None) or min(took, default=None)

    def at(self, view: View, t: float) -> bool | None:
        """True from the first such scrape on."""
        return self._first(view, t) is not None

    def observed(self, view: View, t: float) -> str:
        """What the server says, and when."""
        first = self._first(view, t)
        if first is None:
            took = view.history.value(signals.scrape_s(self.job), t)
            return "not scraped" if took is None else f"a scrape takes {took:.2f} s"
        return f"{first[1]}, after {first[0] - view.zero:.1f} s"


@dataclass(frozen=True)
class NoNewSeries:
    """A full scrape succeeds and holds just the series of the one before: no label goes on making new ones."""

    job: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"full scrapes of {self.job} succeed, none brings a new series"

    def _seen(self, view: View, t: float) -> tuple[float, float, float] | None:
        """(up, samples, series added) at `t`; None where one is not known."""
        names = (signals.up, signals.exposed, signals.added)
        up, samples, new = (view.history.value(name(self.job), t) for name in names)
        return None if up is None or samples is None or new is None else (up, samples, new)

    def at(self, view: View, t: float) -> bool | None:
        """False when the scrape failed; None before the patient knows the new process."""
        seen = self._seen(view, t)
        if seen is None or t <= view.settled:
            return None
        up, samples, new = seen
        return up == 1 and samples > 0 and new == 0

    def observed(self, view: View, t: float) -> str:
        """Samples of the last scrape and new series in it."""
        seen = self._seen(view, t)
        if seen is None:
            return "not scraped"
        return f"{seen[1]:,.0f} series, {seen[2]:,.0f} of them new" if seen[0] else "the scrape failed"


@dataclass(frozen=True)
class scrapes:  # noqa: N801 - reads as a word of the vocabulary
    """The patient's scrapes of a job."""

    job: str

    def choke(self, *, over_s: float) -> Check:
        """They get slow, or time out, while the process lives; `over_s` in real seconds."""
        return Check(f"scrapes of {self.job} choke", Chokes(self.job, over_s))

    def fail_with(self, *texts: str) -> Check:
        """They fail, and the patient says why: in these words, of which each is a version's."""
        return Check(f"scrapes of {self.job} fail", Says(self.job, texts))

    def bring_nothing_new(self) -> Check:
        """The number of series is constant, and they are the same."""
        return Check(f"series of {self.job} constant", NoNewSeries(self.job))
