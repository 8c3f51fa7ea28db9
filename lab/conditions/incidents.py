"""Conditions on an incident of the service itself: who is refused, who is told, what the service says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.conditions.traffic import made
from lab.events import Notified
from lab.scenario import Check
from lab.view import View


@dataclass(frozen=True)
class Refused:
    """More than a share of the requests of the last seconds came to nothing, as those who made them count.

    Not those in the deployment's own gap: a process that starts answers nobody, whatever it is.
    """

    share: float
    window_s: float = 4.0

    @property
    def expected(self) -> str:
        """In words."""
        return f"over {self.share:.0%} of requests fail or are of no use"

    def _share(self, view: View, t: float) -> float | None:
        rates = made(view.history, max(t - self.window_s, view.settled), t)
        return None if rates is None or not sum(rates) else rates[1] / sum(rates)

    def at(self, view: View, t: float) -> bool | None:
        """None without figures from the load generator."""
        share = self._share(view, t)
        return None if share is None else share > self.share

    def observed(self, view: View, t: float) -> str:
        """The share."""
        share = self._share(view, t)
        return "no figures" if share is None else f"{share:.0%}"


@dataclass(frozen=True)
class NobodyTold:
    """No notification since the deployment: neither of the service nor of its monitoring."""

    expected: str = "no notification at all"

    def _told(self, view: View, t: float) -> list[str]:
        told = view.history.of(Notified, view.start, t)
        return sorted({n.alert for n in told if n.status == "firing" and not n.dry_run})

    def at(self, view: View, t: float) -> bool | None:
        """None where the lab does not see the alerts' states, and so would not see a notification either."""
        states = [view.history.value(signals.alert_state(name), t) for name in view.header.watched_alerts]
        return None if not states or None in states else not self._told(view, t)

    def observed(self, view: View, t: float) -> str:
        """Who was told of what."""
        return ", ".join(self._told(view, t)) or f"silence, {t - view.zero:.0f} s long"


@dataclass(frozen=True)
class ReadySays:
    """The service itself answers so where it is asked whether it is ready: 200 it is, 503 it is not."""

    service: str
    status: int

    @property
    def expected(self) -> str:
        """In words."""
        return f"/ready of {self.service} answers {self.status}"

    def at(self, view: View, t: float) -> bool | None:
        """None where it was not asked."""
        status = view.history.value(signals.ready(self.service), t)
        return None if status is None else status == self.status

    def observed(self, view: View, t: float) -> str:
        """The status."""
        status = view.history.value(signals.ready(self.service), t)
        return "not asked" if status is None else f"HTTP {status:.0f}"


def refused(*, over: float) -> Check:
    """Requests come to nothing, more than a share of them."""
    return Check(f"over {over:.0%} of requests fail", Refused(over))


def nobody_told() -> Check:
    """Nobody is told of anything."""
    return Check("nobody is told", NobodyTold())
