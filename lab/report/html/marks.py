"""What charts and timeline share: the bands of the phases and the numbered marks of what happened."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from lab import signals
from lab.events import Deployed, Exited, Notified, Restarted, SignalSeen, Switched
from lab.fatigue import NO_INCIDENT
from lab.scenario import Check, Phase, Result
from lab.stored import Stored

MOST_SWITCHES = 6
"""Of a kind of event that may come often: so many are marked."""


@dataclass(frozen=True)
class Band:
    """A phase; `start` and `end` in seconds of the run."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Mark:
    """Something that happened `t` seconds into the run. `after`: seconds since broken/ or fixed/ went live."""

    kind: str
    text: str
    t: float
    number: int = 0
    after: float | None = None
    of: str = ""


def bands(stored: Stored) -> list[Band]:
    """The phases that began, in order."""
    zero = stored.header.started_at
    return [
        Band(phase.phase.value, phase.start - zero, max(phase.start, phase.end) - zero)
        for phase in stored.outcome.judgement.phases
        if not math.isnan(phase.start)
    ]


def marks(stored: Stored) -> list[Mark]:
    """From the fault going live to the last message that it is over, numbered in order of time."""
    found = sorted(
        (*_deployments(stored), *_incidents(stored), *_ends(stored), *_alert(stored), *_checked(stored)),
        key=lambda m: m.t,
    )
    live = {m.kind: m.t for m in found if m.kind in ("broken", "fixed")}
    numbered = []
    for number, mark in enumerate(found, 1):
        of = next((k for k in ("fixed", "broken") if k in live and mark.t > live[k] and mark.kind != k), "")
        after = mark.t - live[of] if of else None
        numbered.append(replace(mark, number=number, after=after, of=of, t=mark.t - stored.header.started_at))
    return numbered


def _deployments(stored: Stored) -> Iterator[Mark]:
    for live in stored.recording.history.of(Deployed):
        files = f": {', '.join(live.files)}" if live.files else ""
        if live.what != "healthy":
            yield Mark(live.what, f"{live.what}/ is live{files}", live.t)
        elif live.files:
            yield Mark("release", f"an ordinary release{files}, and five times the traffic", live.t)


def _ends(stored: Stored) -> Iterator[Mark]:
    """Services that ended without being asked to, and came back."""
    for end in islice(stored.recording.history.of(Exited), MOST_SWITCHES):
        yield Mark("ended", f"{end.service} ended: {end.how}", end.t)
    for back in islice(stored.recording.history.of(Restarted), MOST_SWITCHES):
        yield Mark("restarted", f"{back.service} is started again", back.t)


def _incidents(stored: Stored) -> Iterator[Mark]:
    """Switches of the service that the scenario turned, such as a true incident in the midst of noise."""
    for event in islice(stored.recording.history.of(Switched), MOST_SWITCHES):
        if event.switches.keys() <= NO_INCIDENT:
            continue
        turned = [f"{name} {value:g}" for name, value in event.switches.items() if value is not None]
        yield Mark("switch", f"the service's switches: {', '.join(turned) or 'put back'}", event.t)


def _alert(stored: Stored) -> Iterator[Mark]:
    """The life of the scenario's own alerts, from the first that stirs after the fault to the last word on it."""
    history, own = stored.recording.history, stored.header.own_alerts
    live = history.first(Deployed, what="broken")
    if live is None:
        return
    for signal in sorted((s for s in history.of(SignalSeen, live.t) if s.alert in own), key=lambda s: s.t)[:1]:
        yield Mark("signal", f"{signal.alert}: its expression has a result", signal.t)
    told = sorted((n for n in history.of(Notified, live.t) if n.alert in own and not n.dry_run), key=lambda n: n.t)
    firing, resolved = ([n for n in told if n.status == status] for status in ("firing", "resolved"))
    for state, kind in ((signals.PENDING, "pending"), (signals.FIRING, "firing")):
        for t, name in islice(_in_state(stored, live.t, state), 1):
            # A state is looked at once a second; what is at the receiver has fired before.
            yield Mark(kind, f"{name} is {kind}", min([t, *(n.t for n in firing[:1])]))
    for first in firing[:1]:
        yield Mark("delivered", f"{first.alert} is at the receiver", first.t)
    for last in resolved[-1:]:
        yield Mark("resolved", f"{last.alert} is resolved at the receiver", last.t)
        for again in [n for n in firing if n.t > last.t][:1]:
            yield Mark("again", f"{again.alert} is at the receiver again", again.t)


def _in_state(stored: Stored, start: float, state: float) -> Iterator[tuple[float, str]]:
    names = [(signals.alert_state(name), name) for name in stored.header.own_alerts]
    for sample in stored.recording.history.samples:
        if sample.t >= start:
            yield from ((sample.t, name) for key, name in names if sample.values.get(key) == state)


def _checked(stored: Stored) -> Iterator[Mark]:
    """The first symptom and the first damage, as the checks found them."""
    scenario = stored.found.scenario
    broken = [p for p in stored.outcome.judgement.phases if p.phase is Phase.BROKEN]
    for kind, checks in (("onset", scenario.onset), ("damage", scenario.damage)):
        held = [
            (result.since, result.name)
            for phase in broken
            for result in phase.results
            if result.result is Result.PASS and result.since is not None and result.name in _names(checks)
        ]
        for since, name in sorted(held)[:1]:
            yield Mark(kind, f"{'the symptom begins' if kind == 'onset' else 'it hurts'}: {name}", since)


def _names(checks: tuple[Check, ...]) -> set[str]:
    return {check.name for check in checks}
