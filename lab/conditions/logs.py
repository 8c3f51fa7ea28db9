"""Condition: a service's own log says it. Messages are stable over versions, log layouts are not."""

from __future__ import annotations

from dataclasses import dataclass

from lab.events import LogSeen
from lab.scenario import Check
from lab.view import View


@dataclass(frozen=True)
class Seen:
    """The text stands in the service's log, written in this phase."""

    service: str
    text: str

    @property
    def expected(self) -> str:
        """In words."""
        return f'"{self.text}" in the log of {self.service}'

    def wants(self) -> tuple[str, str]:
        """(service, text) that the lab must look for while the run goes on."""
        return self.service, self.text

    def _first(self, view: View, t: float) -> LogSeen | None:
        return next(
            (e for e in view.history.of(LogSeen, view.start, t) if e.service == self.service and self.text in e.text),
            None,
        )

    def at(self, view: View, t: float) -> bool | None:
        """True from the first such line on."""
        return self._first(view, t) is not None

    def observed(self, view: View, t: float) -> str:
        """File, line and moment."""
        first = self._first(view, t)
        return f"{first.file}:{first.line} after {first.t - view.zero:.1f} s" if first else "not seen"


@dataclass(frozen=True)
class log:  # noqa: N801 - reads as a word of the vocabulary
    """A text in the log of a service."""

    service: str
    text: str

    def seen(self) -> Check:
        """The text appears."""
        return Check(f"{self.service} says: {self.text}", Seen(self.service, self.text))
