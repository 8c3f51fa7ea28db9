"""Condition: one thing came before another, from their timestamps."""

from __future__ import annotations

from dataclasses import dataclass

from lab.events import Exited, LogSeen, Notified
from lab.scenario import Check
from lab.view import View


def _first_moment(check: Check, view: View, t: float) -> float | None:
    """When a check's condition was first true, if that was by `t`."""
    if id(check) not in view.first_moments:
        view.first_moments[id(check)] = _search(check, view)
    first = view.first_moments[id(check)]
    return first if first is not None and first <= t else None


def _search(check: Check, view: View) -> float | None:
    """At the event itself where there is one, else at the tick."""
    events = (e for e in view.history.events if isinstance(e, Notified | LogSeen | Exited))
    moments = [e.t for e in events if view.start <= e.t <= view.now]
    for moment in sorted({*moments, *view.history.ticks(view.start, view.now)}):
        if check.condition.at(view, moment):
            return moment
    return None


@dataclass(frozen=True)
class Before:
    """The first check's condition became true before the second's."""

    first: Check
    then: Check

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.first.name}, before: {self.then.name}"

    def at(self, view: View, t: float) -> bool | None:
        """None until one of the two is true."""
        first, then = _first_moment(self.first, view, t), _first_moment(self.then, view, t)
        if then is None:
            return None
        return first is not None and first < then

    def observed(self, view: View, t: float) -> str:
        """Both moments."""
        first, then = _first_moment(self.first, view, t), _first_moment(self.then, view, t)
        said = [f"{m - view.zero:.1f} s" if m is not None else "never" for m in (first, then)]
        return f"{said[0]} against {said[1]}"
