"""Conditions on the ends of a service: killed at its memory limit, by itself, and after a fix none at all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from lab import signals
from lab.events import LIMIT, Deployed, Exited, Restarted
from lab.scenario import Check, Mode
from lab.view import View


@dataclass(frozen=True)
class Killed:
    """The service was killed at its memory limit `times` times in this phase, restarted in between."""

    service: str
    times: int

    @property
    def expected(self) -> str:
        """In words."""
        again = " again after a restart" if self.times > 1 else ""
        return f"{self.service} killed at its memory limit{again}"

    def _ends(self, view: View, t: float) -> list[Exited]:
        ends = view.history.of(Exited, view.zero, t)
        return [e for e in ends if e.service == self.service and LIMIT in e.how]

    def at(self, view: View, t: float) -> bool | None:
        """True from that end on, if the service was up again before it."""
        ends = self._ends(view, t)
        if len(ends) < self.times:
            return False
        back = [e for e in view.history.of(Restarted, ends[0].t, ends[self.times - 1].t) if e.service == self.service]
        return len(back) >= self.times - 1

    def observed(self, view: View, t: float) -> str:
        """When, and how it ended, in the runtime's words."""
        ends = self._ends(view, t)
        if not ends:
            return "alive"
        last = ends[min(len(ends), self.times) - 1]
        return f"{last.how}, after {last.t - view.zero:.1f} s"


@dataclass(frozen=True)
class Ended:
    """The service ended by itself with this exit code `times` times in this phase, started again in between."""

    service: str
    code: int
    times: int

    @property
    def expected(self) -> str:
        """In words."""
        again = ", and again when it is started anew" if self.times > 1 else ""
        return f"{self.service} ends with exit code {self.code}{again}"

    def _ends(self, view: View, t: float) -> list[Exited]:
        ends = view.history.of(Exited, view.zero, t)
        return [e for e in ends if e.service == self.service and e.code == self.code]

    def at(self, view: View, t: float) -> bool | None:
        """True from that end on."""
        return len(self._ends(view, t)) >= self.times

    def observed(self, view: View, t: float) -> str:
        """When, how, and whether it was ready since the end before."""
        ends = self._ends(view, t)[: self.times]
        if not ends:
            return "alive"
        said = f"{ends[-1].how}, after {ends[-1].t - view.zero:.1f} s"
        if len(ends) == 1:
            return said
        back = [e for e in view.history.of(Restarted, ends[-2].t, ends[-1].t) if e.service == self.service]
        return f"{said}, {f'ready for {ends[-1].t - back[-1].t:.1f} s' if back else 'never ready'} in between"


@dataclass(frozen=True)
class OneLife:
    """From the deployment on, one process: it neither ends nor starts anew, and its counters never fall."""

    service: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.service} is one process, whose counters never fall"

    def _broken_off(self, view: View, t: float) -> str:
        live = view.history.first(Deployed, view.start)
        if live is None:
            return ""
        for ended in view.history.of(Exited, live.t, t):
            if ended.service == self.service:
                return f"{self.service} ended: {ended.how}"
        # The old process' last count is answered for until the new one's first is scraped.
        counts = view.history.series(signals.COUNTED, view.settled, t)
        for (_, before), (at, after) in pairwise(counts):
            if after < before:
                return f"queries counted fell from {before:,.0f} to {after:,.0f}, {at - view.zero:.1f} s after the fix"
        return ""

    def at(self, view: View, t: float) -> bool | None:
        """False from the first such break on; None before anything is settled."""
        if self._broken_off(view, t):
            return False
        return True if t > view.settled else None

    def observed(self, view: View, t: float) -> str:
        """What broke off."""
        return self._broken_off(view, t) or "one process"


@dataclass(frozen=True)
class Survives:
    """In this phase the service does not end by itself, neither when its deployment starts nor later."""

    service: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.service} starts and does not end by itself"

    def _end(self, view: View, t: float) -> Exited | None:
        ends = (e for e in view.history.of(Exited, view.start, t) if e.service == self.service and e.by_itself)
        return next(ends, None)

    def at(self, view: View, t: float) -> bool | None:
        """False from the first such end on."""
        return self._end(view, t) is None

    def observed(self, view: View, t: float) -> str:
        """How it ended, with the last thing it said."""
        ended = self._end(view, t)
        return f"{self.service} ended: {ended.how}" if ended else "it runs"


@dataclass(frozen=True)
class process:  # noqa: N801 - reads as a word of the vocabulary
    """The process of a service."""

    service: str

    def killed_at_its_limit(self) -> Check:
        """It passes its memory limit and is killed."""
        return Check(f"{self.service} killed", Killed(self.service, 1))

    def killed_again(self) -> Check:
        """A restart alone helps for a while: it is killed a second time."""
        return Check(f"{self.service} killed again", Killed(self.service, 2))

    def exits(self, code: int) -> Check:
        """It ends by itself with this exit code."""
        return Check(f"{self.service} exits with {code}", Ended(self.service, code, 1))

    def exits_again(self, code: int) -> Check:
        """A restart alone is no cure: it ends by itself once more."""
        return Check(f"{self.service} exits with {code} again", Ended(self.service, code, 2))

    def stays(self) -> Check:
        """It lives on; starting anew now and then is no cure."""
        return Check(f"{self.service} lives on", OneLife(self.service), Mode.ALWAYS)
