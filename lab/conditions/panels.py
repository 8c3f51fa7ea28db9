"""Conditions on a dashboard as its viewers see it: its panels answer in time, or show errors; two queries agree."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lab import signals
from lab.events import Answered, DashboardLive
from lab.scenario import Check
from lab.view import View

WINDOW_S = 10.0
"""Longer than viewers wait between two looks (5 s) and a look takes."""


def _total(view: View, name: str, t: float, window_s: float) -> float:
    return sum(value for _, value in view.history.series(name, max(view.zero, t - window_s), t))


@dataclass(frozen=True)
class AllAnswer:
    """Each panel of the broken dashboard is asked for and has data, none fails, and 95 of 100 answers take no longer.

    The titles are the broken dashboard's: a panel that is gone, renamed or empty is no fix.
    """

    limit_s: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"every panel that was there has data, none fails, p95 < {self.limit_s:g} s"

    def _titles(self, view: View) -> tuple[str, ...]:
        shown = view.history.first(DashboardLive, what="broken")
        return shown.panels if shown else ()

    def _missing(self, view: View, t: float) -> list[str]:
        return [title for title in self._titles(view) if not _total(view, signals.panel(title), t, WINDOW_S)]

    def _slowest(self, view: View, t: float) -> float:
        seen = view.history.series(signals.PANEL_P95_S, max(view.zero, t - WINDOW_S), t)
        return max((value for _, value in seen), default=math.inf)

    def at(self, view: View, t: float) -> bool | None:
        """None before every viewer can have looked, and where no dashboard was broken."""
        if not self._titles(view) or t < view.zero + WINDOW_S:
            return None
        failed = _total(view, signals.PANEL_FAILED, t, WINDOW_S)
        return not self._missing(view, t) and not failed and self._slowest(view, t) < self.limit_s

    def observed(self, view: View, t: float) -> str:
        """What is missing or fails, else the slowest second's 95th percentile."""
        if missing := self._missing(view, t):
            return f"no data in {', '.join(missing)}"
        slowest = f"p95 {self._slowest(view, t):.3f} s"
        failed = _total(view, signals.PANEL_FAILED, t, WINDOW_S)
        return f"{failed / WINDOW_S:.1f} errors a second, {slowest}" if failed else f"all answer, {slowest}"


@dataclass(frozen=True)
class KeepWaiting:
    """An answer takes longer than `limit_s`, or viewers of the broken dashboard have had none for a window.

    A query that runs counts nowhere before it ends, and on a busy machine that may take half a minute.
    """

    limit_s: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"viewers wait longer than {self.limit_s:g} s, or see nothing for {WINDOW_S:g} s"

    def at(self, view: View, t: float) -> bool | None:
        """None before anything was answered or a window has passed, and where no dashboard was broken."""
        shown = view.history.first(DashboardLive, what="broken")
        if shown is None or not shown.panels or t < view.zero:
            return None
        took = [value for at, value in view.history.series(signals.PANEL_P95_S, view.zero, t) if at > t - WINDOW_S]
        if any(value > self.limit_s for value in took):
            return True
        return False if took else (True if t >= view.zero + WINDOW_S else None)

    def observed(self, view: View, t: float) -> str:
        """The slowest second's 95th percentile."""
        seen = view.history.series(signals.PANEL_P95_S, max(view.zero, t - WINDOW_S), t)
        return f"p95 {max(value for _, value in seen):.3f} s" if seen else "no answer yet"


@dataclass(frozen=True)
class AllFail:
    """Whatever the viewers asked for in the last seconds failed: the dashboard shows nothing but errors."""

    least: int = 3

    @property
    def expected(self) -> str:
        """In words."""
        return "every panel shows an error"

    def at(self, view: View, t: float) -> bool | None:
        """None until there are a few failures or an answer."""
        served, failed = (_total(view, s, t, WINDOW_S) for s in (signals.PANEL_SERVED, signals.PANEL_FAILED))
        return None if failed < self.least and not served else failed >= self.least and not served

    def observed(self, view: View, t: float) -> str:
        """How many of each."""
        served, failed = (_total(view, s, t, WINDOW_S) for s in (signals.PANEL_SERVED, signals.PANEL_FAILED))
        return f"{failed:.0f} panels failed, {served:.0f} answered in {WINDOW_S:.0f} s"


@dataclass(frozen=True)
class Agree:
    """Two queries about the same moment of the past give the same number, within `within` of the first."""

    slow: str
    fast: str
    within: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.fast} within {self.within:.0%} of {self.slow}"

    def asks(self) -> tuple[str, ...]:
        """What the lab must ask for once the fix is live."""
        return self.slow, self.fast

    def _values(self, view: View, t: float) -> tuple[float | None, float | None, bool]:
        latest = {e.question: e.value for e in view.history.of(Answered, view.start, t)}
        return latest.get(self.slow), latest.get(self.fast), self.fast in latest

    def at(self, view: View, t: float) -> bool | None:
        """False where the second has no result; None until the first has one."""
        slow, fast, answered = self._values(view, t)
        if slow is None or not answered:
            return None
        return fast is not None and abs(fast - slow) <= self.within * abs(slow)

    def observed(self, view: View, t: float) -> str:
        """Both numbers and how far they are apart."""
        slow, fast, _ = self._values(view, t)
        if slow is None:
            return "the slow query has no result"
        if fast is None:
            return f"no result, against {slow:,.3f}"
        return f"{fast:,.3f} against {slow:,.3f} ({(fast - slow) / slow:+.2%})" if slow else f"{fast:,.3f} against 0"


def told(title: str, what: str) -> str:
    """The name under which an answer about a panel of `broken` or `fixed` is recorded."""
    return f"panel {title} of {what}/"


@dataclass(frozen=True)
class TellTheSame:
    """Each panel's mean over the dashboard's range is what the broken panel of that title says at the range's end.

    For broken panels that ask for the whole range at every point. A constant under an old title is no fix.
    """

    within: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"the mean of each panel within {self.within:.0%} of what the broken panel says"

    def _pairs(self, view: View, t: float) -> dict[str, tuple[float, float | None] | None]:
        """By title: what the panels say of broken/ and fixed/; None where one was not answered."""
        shown = view.history.first(DashboardLive, what="broken")
        latest = {e.question: e.value for e in view.history.of(Answered, view.start, t)}
        pairs: dict[str, tuple[float, float | None] | None] = {}
        for title in shown.panels if shown else ():
            slow = latest.get(told(title, "broken"))
            known = slow is not None and math.isfinite(slow) and told(title, "fixed") in latest
            pairs[title] = (slow, latest[told(title, "fixed")]) if known and slow is not None else None
        return pairs

    def _apart(self, pair: tuple[float, float | None]) -> float:
        """How far, as a share of the broken panel's; without bound where the live panel has no data."""
        slow, fast = pair
        if fast is None or not math.isfinite(fast) or (not slow and fast):
            return math.inf
        return abs(fast - slow) / abs(slow) if slow else 0.0

    def at(self, view: View, t: float) -> bool | None:
        """False where one differs or has no data; None until both of each have been asked."""
        pairs = self._pairs(view, t)
        if any(pair and self._apart(pair) > self.within for pair in pairs.values()):
            return False
        return True if pairs and all(pairs.values()) else None

    def observed(self, view: View, t: float) -> str:
        """The panel that is furthest off, else those without an answer."""
        pairs = self._pairs(view, t)
        known = {title: pair for title, pair in pairs.items() if pair}
        if not known:
            return "no panel has an answer"
        worst = max(known, key=lambda title: self._apart(known[title]))
        slow, fast = known[worst]
        said = "no data" if fast is None else f"{fast:,.4g}"
        return f"{len(known)} of {len(pairs)} panels; furthest off: {worst}, {said} against {slow:,.4g}"


@dataclass(frozen=True)
class panels:  # noqa: N801 - reads as a word of the vocabulary
    """The panels of the broken dashboard."""

    def answer(self, *, under_s: float) -> Check:
        """All of them have data, in less than so many seconds."""
        return Check("same panels answer", AllAnswer(under_s))

    def keep_waiting(self, *, over_s: float) -> Check:
        """Viewers wait longer than so many seconds."""
        return Check("viewers wait for panels", KeepWaiting(over_s))

    def tell_the_same(self, *, within: float) -> Check:
        """They show the numbers that they showed."""
        return Check("panels tell the same", TellTheSame(within))

    def fail(self) -> Check:
        """All of them show errors."""
        return Check("panels show errors", AllFail())


def agree(*, slow: str, fast: str, within: float) -> Check:
    """The fast query says what the slow one said."""
    return Check("same numbers", Agree(slow, fast, within))
