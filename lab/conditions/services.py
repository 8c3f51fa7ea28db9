"""Conditions on what a service says of itself: its readiness endpoint, and `up`."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.conditions.incidents import ReadySays
from lab.conditions.missing import Down, Quiet
from lab.events import LogSeen
from lab.scenario import Check
from lab.view import View


@dataclass(frozen=True)
class StillSaysYes:
    """The service answers 200 on its readiness endpoint after its own log has admitted the damage."""

    service: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.service} answers ready (200) with the damage in its log: it can not say so itself"

    def _hurt_at(self, view: View, t: float) -> float | None:
        return min((e.t for e in view.history.of(LogSeen, view.start, t) if e.service == self.service), default=None)

    def at(self, view: View, t: float) -> bool | None:
        """None until the log has spoken."""
        hurt, status = self._hurt_at(view, t), view.history.value(signals.ready(self.service), t)
        if hurt is None or status is None:
            return None
        return status == 200.0 if t > hurt else None

    def observed(self, view: View, t: float) -> str:
        """The status and how long after the damage."""
        hurt, status = self._hurt_at(view, t), view.history.value(signals.ready(self.service), t)
        if hurt is None or status is None:
            return "no damage in its log"
        return f"HTTP {status:.0f}, {t - hurt:.1f} s after its log said so"


@dataclass(frozen=True)
class StillUp:
    """In the patient's own eyes the target is up, although its samples no longer reach the disk."""

    job: str
    service: str

    @property
    def expected(self) -> str:
        """In words."""
        return f'up{{job="{self.job}"}} == 1 with the damage in the log of {self.service}'

    def at(self, view: View, t: float) -> bool | None:
        """None until the log has spoken."""
        hurt = StillSaysYes(self.service)._hurt_at(view, t)
        value = view.history.value(signals.up(self.job), t)
        return None if hurt is None or value is None or t <= hurt else value == 1.0

    def observed(self, view: View, t: float) -> str:
        """The value."""
        value = view.history.value(signals.up(self.job), t)
        return "no data" if value is None else f"up == {value:.0f}"


@dataclass(frozen=True)
class ready:  # noqa: N801 - reads as a word of the vocabulary
    """The readiness endpoint of a service."""

    service: str

    def says_no(self) -> Check:
        """It answers 503: whoever asks it knows."""
        return Check(f"{self.service} says that it is not ready", ReadySays(self.service, 503))

    def says_yes(self) -> Check:
        """It answers 200."""
        return Check(f"{self.service} says that it is ready", ReadySays(self.service, 200))

    def still_says_yes(self) -> Check:
        """It answers 200 although the service is hurt: the patient cannot say so itself."""
        return Check(f"{self.service} still says ready", StillSaysYes(self.service))


@dataclass(frozen=True)
class up:  # noqa: N801 - reads as a word of the vocabulary
    """`up` of a job of the patient."""

    job: str

    def down(self) -> Check:
        """It is 0."""
        return Check(f"{self.job} down", Down(self.job))

    def hides_it(self) -> Check:
        """It stays 1, and no scrape fails, although the service's queries are counted no more."""
        return Check(f"{self.job} quietly up", Quiet(self.job))

    def stays_one_on(self, service: str) -> Check:
        """It stays 1 although the service that scrapes is hurt."""
        return Check(f"up of {self.job} stays 1", StillUp(self.job, service))
