"""Which checks a phase has: the scenario's own, and those that every run has."""

from __future__ import annotations

from lab.conditions.alerts import Inactive, NotFiring
from lab.conditions.deaths import Survives
from lab.conditions.order import Before
from lab.conditions.traffic import ServedWell
from lab.conditions.values import sampled
from lab.journal import Header
from lab.scenario import Check, Mode, Phase, Scenario, Wait
from lab.signals import OBSERVER_HEAD_SERIES

STEADY_HOLD = Wait(simulated_s=75)
"""How long the healthy service must be seen to be healthy."""
CONTROL_HOLD = Wait(simulated_s=450)
"""How long a control run goes on after the traffic grew: longer than broken/ needs to hurt."""


def phases_of(control: bool) -> tuple[Phase, ...]:
    """The phases of a run, in order."""
    return (Phase.STEADY, Phase.CONTROL) if control else (Phase.STEADY, Phase.BROKEN, Phase.FIXED)


def checks_of(scenario: Scenario, header: Header, phase: Phase) -> tuple[Check, ...]:
    """All checks of a phase but the guards."""
    own = scenario.phase_checks(phase)
    if phase is Phase.STEADY:
        return (*_steady(header), *own)
    if phase is Phase.CONTROL:
        return _control()
    allowed = tuple(dict.fromkeys((*header.own_alerts, *scenario.consequences)))
    quiet = Check("only declared alerts", NotFiring(allowed), Mode.ALWAYS)
    if phase is Phase.BROKEN:
        return (*own, *_order(scenario), quiet, _observer_small())
    return (_survives(), *own, quiet, _observer_small())


def _survives() -> Check:
    """A fix under which the service ends by itself is none, and its symptoms went away for another reason."""
    return Check("service survives the fix", Survives("rag"), Mode.ALWAYS, certain=True)


def _steady(header: Header) -> tuple[Check, ...]:
    return (
        Check("service healthy", ServedWell()).holds_for(minutes=STEADY_HOLD.simulated_s / 60).within(minutes=5),
        Check("detectors inactive", Inactive(header.watched_alerts)).holds_for(minutes=STEADY_HOLD.simulated_s / 60),
        Check("nobody notified", NotFiring(), Mode.ALWAYS),
    )


def _control() -> tuple[Check, ...]:
    return (
        Check("service healthy", ServedWell()).holds_for(minutes=CONTROL_HOLD.simulated_s / 60),
        Check("silent throughout", NotFiring(), Mode.ALWAYS),
        _observer_small(),
    )


def _observer_small() -> Check:
    return sampled(OBSERVER_HEAD_SERIES, "observer's own series").below(5_000).always()


def _order(scenario: Scenario) -> tuple[Check, ...]:
    if not (scenario.seen_before_damage and scenario.damage and scenario.detected):
        return ()
    first, then = scenario.detected[0], scenario.damage[0]
    return (Check("seen before it hurts", Before(first, then), Mode.ALWAYS, needs=then.needs),)
