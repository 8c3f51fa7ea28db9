"""What a run may take: every wait in simulated and real time, and the budget of the alert's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab import serveryaml
from lab.journal import Header
from lab.judge import expectation
from lab.phases import checks_of, phases_of
from lab.scenario import Mode, Scenario, Wait
from lab.timescale import Duration
from lab.view import SCRAPE

DEFAULT_GROUP_WAIT_S = 30.0


@dataclass(frozen=True)
class DeclaredWait:
    """One wait of a run: how long a check may take, and how long it must then hold."""

    phase: str
    check: str
    expected: str
    deadline: Wait
    hold: Wait

    def seconds(self, speed: float) -> float:
        """Real seconds at most."""
        return (self.deadline + self.hold).seconds(speed)


def waits(scenario: Scenario, header: Header) -> list[DeclaredWait]:
    """Every wait of a run, in order; checks that watch all the time are none."""
    return [
        DeclaredWait(phase.value, check.name, expectation(check, header.speed), check.deadline, check.hold)
        for phase in phases_of(header.control)
        for check in checks_of(scenario, header, phase)
        if check.mode is not Mode.ALWAYS
    ]


def longest_s(scenario: Scenario, header: Header) -> float:
    """Real seconds that the waits of a run can take at most: in a phase they run side by side."""
    longest: dict[str, float] = {}
    for wait in waits(scenario, header):
        longest[wait.phase] = max(longest.get(wait.phase, 0.0), wait.seconds(header.speed))
    return sum(longest.values())


def pipeline_budget_s(rules: Mapping[str, str], alerts: tuple[str, ...], alertmanager: str, speed: float) -> float:
    """Real seconds from a rule's first result to its arrival: `for` + group_wait + one scrape + one evaluation."""
    fors = [_seconds(rule.get("for", "0s")) for rule in _rules(rules) if rule.get("alert") in alerts]
    route = (serveryaml.load(alertmanager) or {}).get("route") or {}
    group_wait = _seconds(route.get("group_wait", f"{DEFAULT_GROUP_WAIT_S:.0f}s"))
    return (min(fors, default=0.0) + group_wait + 2 * SCRAPE.simulated_s) / speed


def _rules(files: Mapping[str, str]) -> list[dict[str, Any]]:
    groups = [group for text in files.values() for group in (serveryaml.load(text) or {}).get("groups") or []]
    return [rule for group in groups for rule in group.get("rules") or []]


def _seconds(text: object) -> float:
    return Duration.parse(str(text)).seconds if str(text) not in ("0", "None") else 0.0
