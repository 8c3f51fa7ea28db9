"""Judging: from a history to results and a verdict. Pure: the same journal gives the same verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.events import Deployed, Skipped, Unmeasured
from lab.guards import TRAFFIC, guards
from lab.history import STALE_S, History
from lab.journal import Header
from lab.phases import checks_of, phases_of
from lab.scenario import Check, CheckResult, Mode, Phase, Result, Scenario, Verdict
from lab.view import View, phase_window


@dataclass(frozen=True)
class PhaseResult:
    """One phase and how its checks came out; `start` and `end` in Unix seconds, NaN if never begun."""

    phase: Phase
    start: float
    end: float
    results: tuple[CheckResult, ...]


@dataclass(frozen=True)
class Judgement:
    """All phases and the verdict."""

    phases: tuple[PhaseResult, ...]
    verdict: Verdict
    reason: str

    def results(self) -> list[CheckResult]:
        """Every check of the run, in the order of the story."""
        return [result for phase in self.phases for result in phase.results]


def judge(scenario: Scenario, header: Header, history: History, *, damaged: str = "") -> Judgement:
    """Judge a whole run. `damaged`: where a journal broke off; such a run can't pass."""
    phases: list[PhaseResult] = []
    for phase in phases_of(header.control):
        phases.append(_judge_phase(scenario, header, history, phase, phases))
    onset = tuple(check.name for check in scenario.onset)
    verdict, reason = _verdict([r for p in phases for r in p.results], header.strict, onset)
    trouble = next(history.of(Unmeasured), None)
    if verdict is Verdict.INCONCLUSIVE and trouble is not None:
        reason = trouble.reason
    if verdict is Verdict.PASS and damaged:
        verdict, reason = Verdict.INCONCLUSIVE, f"the journal is damaged: {damaged}"
    return Judgement(tuple(phases), verdict, reason)


def view_of(header: Header, history: History, phase: Phase, onset_after_s: float | None) -> View | None:
    """The window of a phase; None when it never began."""
    window = phase_window(history, phase)
    if window is None:
        return None
    start, end, closed = window
    return View(history, header, phase, start, end, closed, onset_after_s)


def evaluate(check: Check, view: View) -> CheckResult | None:
    """The result of one check as of `view.now`; None while it is not settled."""
    if check.needs:
        lacking = next((s for s in view.history.of(Skipped) if s.capability == check.needs), None)
        if lacking is not None:
            return _result(check, view, Result.SKIPPED, math.nan, reason=lacking.reason)
    if check.mode is Mode.ALWAYS:
        return _always(check, view)
    if check.mode is Mode.HOLDS:
        return _holds(check, view)
    return _eventually(check, view)


def _result(
    check: Check, view: View, result: Result, at: float, *, since: float | None = None, reason: str = ""
) -> CheckResult:
    known = not math.isnan(at)
    observed = check.condition.observed(view, at) if known else "-"
    return CheckResult(
        check.name, check.mode, expectation(check, view.header.speed, view.onset_after_s), observed, result, reason,
        at if known else None, since, check.guard, check.excuses, check.certain,
    )  # fmt: skip


def expectation(check: Check, speed: float, onset_after_s: float | None = None) -> str:
    """The condition with its mode and times, in words."""
    if check.mode is Mode.HOLDS:
        return f"{check.condition.expected}, for {_hold_text(check, speed, onset_after_s)}"
    if check.mode is Mode.ALWAYS:
        return check.condition.expected
    return f"{check.condition.expected}, within {check.deadline.seconds(speed):.0f} s"


def hold_s(check: Check, speed: float, onset_after_s: float | None) -> float:
    """Real seconds for which a check must hold; past the onset: 15 % longer than it took."""
    length = check.hold.seconds(speed)
    return max(length, 1.15 * onset_after_s) if check.hold_past_onset and onset_after_s is not None else length


def _hold_text(check: Check, speed: float, onset_after_s: float | None) -> str:
    if check.hold_past_onset and onset_after_s is None:
        return "longer than the onset takes"
    why = f" (the onset took {onset_after_s:.0f} s)" if check.hold_past_onset else ""
    return f"{hold_s(check, speed, onset_after_s):.0f} s{why}"


def _always(check: Check, view: View) -> CheckResult | None:
    seen = False
    ends = [view.now] if view.closed else []
    for t in [*view.history.ticks(view.start, view.now), *ends]:
        state = check.condition.at(view, t)
        if state is False:
            return _result(check, view, _negative(check), t, since=view.start)
        seen = seen or state is True
    if not view.closed:
        return None
    if not seen:
        return _result(check, view, Result.INCONCLUSIVE, view.now, reason="nothing was measured")
    return _result(check, view, Result.PASS, view.now, since=view.start)


def _negative(check: Check) -> Result:
    return Result.INCONCLUSIVE if check.guard else Result.FAIL


def _eventually(check: Check, view: View) -> CheckResult | None:
    deadline = view.due_from + check.deadline.seconds(view.header.speed)
    seen = False
    for t in view.history.ticks(view.start, min(view.now, deadline)):
        state = check.condition.at(view, t)
        if state:
            return _result(check, view, Result.PASS, t, since=t)
        seen = seen or state is False
    return _too_late(check, view, deadline, seen)


def _holds(check: Check, view: View) -> CheckResult | None:
    """Between two looks that are too far apart nobody knows: a hold begins anew after such a gap.

    A look that shows nothing is none. Within one scrape interval nothing can change that a scrape shows.
    """
    length = hold_s(check, view.header.speed, view.onset_after_s)
    deadline = view.due_from + check.deadline.seconds(view.header.speed) + length
    longest_gap = max(STALE_S, view.scrape_s)
    since = despite_gaps = last = None
    seen = blind = False
    for t in view.history.ticks(view.start, min(view.now, deadline)):
        state = check.condition.at(view, t)
        if state is None:
            continue
        gap, last, seen = last is not None and t - last > longest_gap, t, True
        if not state:
            since = despite_gaps = None
            continue
        since = t if since is None or gap else since
        despite_gaps = t if despite_gaps is None else despite_gaps
        if t - since >= length:
            return _result(check, view, Result.PASS, t, since=since)
        blind = blind or t - despite_gaps >= length
    late = _too_late(check, view, deadline, seen)
    if late is not None and late.result is Result.FAIL and blind:
        return replace(late, result=Result.INCONCLUSIVE, reason=f"nothing was seen for over {longest_gap:g} s")
    return late


def _too_late(check: Check, view: View, deadline: float, seen: bool) -> CheckResult | None:
    if view.now >= deadline:
        if not seen:
            return _result(check, view, Result.INCONCLUSIVE, view.now, reason="nothing was measured")
        return _result(check, view, _negative(check), min(view.now, deadline), reason="not within its time")
    if view.closed:
        return _result(check, view, Result.INCONCLUSIVE, view.now, reason="the run stopped before its deadline")
    return None


def _judge_phase(
    scenario: Scenario, header: Header, history: History, phase: Phase, before: Sequence[PhaseResult]
) -> PhaseResult:
    checks = checks_of(scenario, header, phase)
    view = view_of(header, history, phase, onset_after(scenario, header, history, before))
    if view is None:
        return PhaseResult(phase, math.nan, math.nan, tuple(_not_reached(c, header, before) for c in checks))
    closed = replace(view, closed=True)
    results = [evaluate(check, closed) for check in checks]
    guarded = [r for g in guards(scenario, header, phase) if (r := evaluate(g, closed)) is not None]
    settled = [r for r in results if r is not None]
    told = _excused(settled, [*guarded, *(_slow_before(before) if phase is Phase.BROKEN else ())])
    if phase is Phase.BROKEN and any(r.result is Result.FAIL for r in told):
        asked = [r for c in scenario.undisturbed if (r := evaluate(replace(c, guard=True), closed)) is not None]
        told, guarded = _excused(told, asked), [*guarded, *asked]
    return PhaseResult(phase, view.start, view.now, (*told, *guarded))


def _slow_before(before: Sequence[PhaseResult]) -> list[CheckResult]:
    """The doubt about the steady phase's traffic: what `broken/` gets is compared with it, and is as little."""
    return [r for p in before if p.phase is Phase.STEADY for r in p.results if r.guard and r.name == TRAFFIC]


def _excused(results: Sequence[CheckResult], guarded: Sequence[CheckResult]) -> list[CheckResult]:
    """A failure in a phase that could not be measured says nothing: it becomes inconclusive."""
    doubts = [g for g in guarded if g.result is Result.INCONCLUSIVE and g.excuses]
    if not doubts:
        return list(results)
    why = f"could not measure: {doubts[0].name}: {doubts[0].observed}"
    excused = [r.result is Result.FAIL and not r.certain for r in results]
    return [
        replace(r, result=Result.INCONCLUSIVE, reason=why) if doubt else r
        for r, doubt in zip(results, excused, strict=True)
    ]


def _not_reached(check: Check, header: Header, before: Sequence[PhaseResult]) -> CheckResult:
    last = next((p.phase.value for p in reversed(before) if not math.isnan(p.start)), "start")
    failed = any(r.result is Result.FAIL for p in before for r in p.results)
    result = Result.SKIPPED if failed else Result.INCONCLUSIVE
    return CheckResult(
        check.name,
        check.mode,
        expectation(check, header.speed),
        "-",
        result,
        f"not reached: the run ended in {last}",
    )


def onset_after(
    scenario: Scenario, header: Header, history: History, before: Sequence[PhaseResult] = ()
) -> float | None:
    """Seconds from the broken deployment until its first symptom; None while there is none."""
    names = {check.name for check in scenario.onset}
    live = broken_at(history)
    if live is None:
        return None
    results = [r for p in before if p.phase is Phase.BROKEN for r in p.results]
    if not results:
        view = view_of(header, history, Phase.BROKEN, None)
        results = [r for c in scenario.onset if view and (r := evaluate(c, view)) is not None]
    moments = [r.since for r in results if r.name in names and r.result is Result.PASS and r.since is not None]
    return max(0.0, min(moments) - live) if moments else None


def _verdict(results: Sequence[CheckResult], strict: bool, onset: Sequence[str] = ()) -> tuple[Verdict, str]:
    for wanted, verdict in ((Result.FAIL, Verdict.FAIL), (Result.INCONCLUSIVE, Verdict.INCONCLUSIVE)):
        found = [r for r in results if r.result is wanted]
        first = next((r for r in found if r.guard), found[0] if found else None)  # a guard is the cause of the others
        if first is not None:
            what = "onset not observed: " if verdict is Verdict.FAIL and first.name in onset else ""
            return verdict, f"{what}{first.name}: {first.reason or first.observed}"
    skipped = next((r for r in results if r.result is Result.SKIPPED), None)
    if strict and skipped is not None:
        return Verdict.INCONCLUSIVE, f"{skipped.name}: skipped ({skipped.reason}), and --strict was asked for"
    if not any(r.result is Result.PASS and not r.guard for r in results):
        return Verdict.INCONCLUSIVE, "nothing was checked"
    return Verdict.PASS, ""


def broken_at(history: History) -> float | None:
    """When `broken/` went live."""
    event = history.first(Deployed, what="broken")
    return event.t if event else None
