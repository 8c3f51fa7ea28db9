"""The first screen: the verdict, its reason, and for a run that did not pass what failed and what to try."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lab.report.html.advice import what_to_try
from lab.scenario import CheckResult, Phase, Result, Verdict
from lab.stored import Stored

MOST = 3
"""Problems on the first screen; the table of checks has all."""


@dataclass(frozen=True)
class Problem:
    """A check that decided the verdict."""

    phase: str
    name: str
    guard: bool
    result: str
    expected: str
    seen: str
    why: str
    to_try: str


@dataclass(frozen=True)
class Fact:
    """One figure of the run: what it is, the figure, and what it means."""

    name: str
    value: str
    more: str = ""


@dataclass(frozen=True)
class Headline:
    """What a reader sees without scrolling."""

    verdict: str
    sentence: str
    problems: tuple[Problem, ...]
    further: int
    facts: tuple[Fact, ...]


def headline(stored: Stored) -> Headline:
    """The first screen of a run."""
    problems = list(_problems(stored))
    undecided = {Result.FAIL, Result.INCONCLUSIVE}
    more = sum(
        r.result in undecided and not r.reason.startswith("not reached") for r in stored.outcome.judgement.results()
    )
    return Headline(
        verdict=stored.outcome.verdict.value,
        sentence=_sentence(stored),
        problems=tuple(problems[:MOST]),
        further=more - min(MOST, len(problems)) if problems else 0,
        facts=tuple(_facts(stored)),
    )


def _sentence(stored: Stored) -> str:
    found, header = stored.outcome, stored.header
    if found.verdict is not Verdict.PASS:
        return found.judgement.reason
    if header.control:
        return "Nothing was broken, a release went live under five times the traffic, and nobody was disturbed."
    after = found.delays.time_to_detect_s
    seen = "" if after is None else f", seen after {after:.1f} s"
    return f"The fault was live{seen}, and the fix held under the same load."


def _problems(stored: Stored) -> Iterator[Problem]:
    wanted = {Verdict.FAIL: Result.FAIL, Verdict.INCONCLUSIVE: Result.INCONCLUSIVE}.get(stored.outcome.verdict)
    phases = [p for p in stored.outcome.judgement.phases if not math.isnan(p.start)]
    found = [(p.phase, r) for p in phases for r in p.results if r.result is wanted]
    # A guard that does not hold is the cause of the others: they follow from it.
    guards = [(phase, result) for phase, result in found if result.guard]
    for phase, result in guards or found:
        yield _problem(stored, phase, result)


def _problem(stored: Stored, phase: Phase, result: CheckResult) -> Problem:
    return Problem(
        phase.value, result.name, result.guard, result.result.value, result.expected, result.observed, result.reason,
        what_to_try(stored, phase, result),
    )  # fmt: skip


def _facts(stored: Stored) -> Iterator[Fact]:
    found, speed = stored.outcome, stored.header.speed
    delays = found.delays
    if not stored.header.control:
        yield Fact("time to detect", _s(delays.time_to_detect_s), _simulated(delays.time_to_detect_s, speed))
        yield Fact("time to recover", _s(delays.time_to_recover_s), _simulated(delays.time_to_recover_s, speed))
    told = [n for n in found.notifications if not n.dry_run]
    firing = sum(n.status == "firing" for n in told)
    yield Fact("notifications", f"{len(told)}", f"{firing} firing, {len(told) - firing} resolved")
    if found.fatigue:
        yield Fact("told by the fault's own alerts", f"{found.fatigue.per_hour:.0f} an hour", "simulated")
    yield Fact("wall time", _s(found.wall_s), f"of it {found.overhead_s:.1f} s overhead")
    if found.culprit:
        yield Fact("culprit", f"{found.culprit.metric}{{{found.culprit.label}}}", f"{found.culprit.values:,} values")


def _s(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.1f} s"


def _simulated(value: float | None, speed: float) -> str:
    return "" if value is None else f"{value * speed / 60:.1f} min simulated"
