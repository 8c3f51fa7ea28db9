"""Guards: a phase that was not really measured must neither pass nor fail.

A guard that does not hold makes its phase's failures inconclusive, and the verdict with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab import signals
from lab.conditions.traffic import Flowed, Made, Offered
from lab.events import Exited, PhaseStarted, Unmeasured
from lab.journal import Header
from lab.scenario import Check, Mode, Phase, Scenario
from lab.view import View


def guards(scenario: Scenario, header: Header, phase: Phase) -> tuple[Check, ...]:
    """The guards of a phase."""
    rate, shaped = header.users * scenario.load.per_user * header.speed, header.shape != "steady"
    offered = Offered(rate, users=header.users if shaped else 0)
    flow: Flowed | Offered | Made = offered if phase in (Phase.STEADY, Phase.CONTROL) else Flowed(per_user=shaped)
    if phase in scenario.refuses:
        flow = Made(per_user=shaped)
    if phase is Phase.STEADY and header.control and not shaped and header.users:
        flow = Offered(rate * control_users(header.users) / header.users)
    dark = scenario.goes_dark if phase in (Phase.BROKEN, Phase.FIXED) else ()
    # A symptom that is still there after the fix is there with less traffic too, and often slows it: then a failure
    # stands. Without enough traffic it is only the pass that would be vacuous.
    traffic = replace(_guard(TRAFFIC, flow), excuses=phase is not Phase.FIXED)
    away = (*scenario.dies, *dark)
    # The same for a fix that takes the metrics page away: what is then not to be seen is its doing.
    page = replace(_guard("service was scraped", Scraped(away, ("rag",))), excuses=phase is not Phase.FIXED)
    return (
        traffic,
        _guard("rules were evaluated", Evaluated()),
        _guard("targets were scraped", Scraped(away, ("prometheus",))),
        page,
        _guard("services lived", Lived(scenario.kills)),
        _guard("measured throughout", Measured()),
    )


TRAFFIC = "traffic flowed"
CONTROL_GROWTH = 5
"""A control run starts with a fifth of the scenario's traffic, so that it can grow fivefold."""


def control_users(users: int) -> int:
    """Users that a control run starts with; at least one, where there are any."""
    return min(users, max(1, users // CONTROL_GROWTH))


def _guard(name: str, condition: Flowed | Offered | Made | Evaluated | Scraped | Lived | Measured) -> Check:
    return Check(name, condition, Mode.ALWAYS, guard=True)


@dataclass(frozen=True)
class Evaluated:
    """The observer evaluated its rules at least every `limit` intervals: a busy host may miss evaluations.

    An observer that does not answer ages from the last time it did: what it can't see is not "never detected".
    """

    limit: float = 5.0
    expected: str = "the observer evaluates its rules"

    def _age(self, view: View, t: float) -> float | None:
        last = view.history.last(signals.EVALUATION_AGE_S, t)
        return last[1] + t - last[0] if last else None

    def at(self, view: View, t: float) -> bool | None:
        """None before the first evaluation of the run."""
        age = self._age(view, t)
        return None if age is None else age <= max(4.0, self.limit * view.header.evaluation_interval_s)

    def observed(self, view: View, t: float) -> str:
        """The age of the last evaluation."""
        age = self._age(view, t)
        return "never evaluated" if age is None else f"last evaluation {age:.1f} s ago"


@dataclass(frozen=True)
class Scraped:
    """The observer's targets answer its scrapes for most of the settled phase, but those that may be away."""

    away: tuple[str, ...]
    jobs: tuple[str, ...]
    share: float = 0.7
    expected: str = "the observer's scrapes succeed"

    def _shares(self, view: View) -> dict[str, float]:
        shares = {}
        for job in self.jobs:
            points = view.history.series(signals.seen_up(job), min(view.settled, view.now), view.now)
            if job not in self.away:
                shares[job] = sum(v for _, v in points) / len(points) if points else 0.0
        return shares

    def at(self, view: View, t: float) -> bool | None:
        """Judged when the phase is over."""
        if not view.closed or t < view.now:
            return None
        return all(share >= self.share for share in self._shares(view).values())

    def observed(self, view: View, t: float) -> str:
        """Share of moments at which the target was up."""
        return ", ".join(f"{job} up {share:.0%}" for job, share in self._shares(view).items())


@dataclass(frozen=True)
class Lived:
    """No service ended that the scenario does not kill, and none at all before it kills."""

    kills: Callable[[Exited], bool]
    """Whether an end is the fault's doing."""
    expected: str = "no service ends by itself"

    def _dead(self, view: View, t: float) -> Exited | None:
        broken = view.history.first(PhaseStarted, name=Phase.BROKEN.value)
        since = broken.t if broken else math.inf
        dead = (e for e in view.history.of(Exited, end=t) if not self.kills(e) or e.t < since)
        return next(dead, None)

    def at(self, view: View, t: float) -> bool | None:
        """False from the first such end on."""
        return self._dead(view, t) is None

    def observed(self, view: View, t: float) -> str:
        """Which one, and how."""
        dead = self._dead(view, t)
        return "all alive" if dead is None else f"{dead.service} ended: {dead.how}"


@dataclass(frozen=True)
class Measured:
    """The lab itself looked at least every `gap_s` seconds and met nothing it could not measure."""

    gap_s: float = 8.0
    expected: str = "the lab measures throughout"

    def _trouble(self, view: View, t: float) -> str:
        unmeasured = next(view.history.of(Unmeasured, end=t), None)
        if unmeasured is not None:
            return unmeasured.reason
        if t - view.start <= self.gap_s:
            return ""
        looked = [tick for tick in view.history.ticks(t - self.gap_s, t) if tick < t]
        return "" if looked else f"blind for over {self.gap_s:.0f} s"

    def at(self, view: View, t: float) -> bool | None:
        """False from the first trouble on."""
        return not self._trouble(view, t)

    def observed(self, view: View, t: float) -> str:
        """The trouble."""
        return self._trouble(view, t) or "measured"
