"""From results to a verdict: precedence, excuses, phases that never began, borders of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from histories import HEADER, header, killing, samples
from test_judge import HEADER as JUDGE_HEADER
from test_judge import check, view

from lab.conditions.values import Threshold
from lab.events import Deployed, PhaseEnded, PhaseStarted, RunEnded, Skipped, Unmeasured
from lab.guards import Evaluated, Lived, Measured, Scraped
from lab.history import History, Sample
from lab.judge import _excused, _verdict, evaluate, judge
from lab.scenario import CheckResult, Load, Mode, Phase, Result, Scenario, Verdict, Wait
from lab.view import View

P, F, I, S = Result.PASS, Result.FAIL, Result.INCONCLUSIVE, Result.SKIPPED  # noqa: E741


def result(what: Result, name: str = "c", *, guard: bool = False, excuses: bool = True) -> CheckResult:
    return CheckResult(name, Mode.ALWAYS, "x", "seen", what, "why", guard=guard, excuses=excuses)


@pytest.mark.parametrize(
    ("results", "strict", "expected"),
    [
        ((P, P), False, Verdict.PASS),
        ((P, F), False, Verdict.FAIL),
        ((P, I), False, Verdict.INCONCLUSIVE),
        ((I, F, P), False, Verdict.FAIL),
        ((P, S), False, Verdict.PASS),
        ((P, S), True, Verdict.INCONCLUSIVE),
        ((F, S), True, Verdict.FAIL),
        ((S, S), False, Verdict.INCONCLUSIVE),
        ((), False, Verdict.INCONCLUSIVE),
    ],
)
def test_precedence(results: tuple[Result, ...], strict: bool, expected: Verdict) -> None:
    verdict, reason = _verdict([result(r) for r in results], strict)
    assert verdict is expected
    assert bool(reason) is (verdict is not Verdict.PASS)


def test_guards_that_hold_are_no_evidence_of_their_own() -> None:
    assert _verdict([result(P, guard=True)], False)[0] is Verdict.INCONCLUSIVE


def test_a_guard_is_named_as_the_cause_before_what_it_excused() -> None:
    found = [result(I, "alert delivered"), result(I, "traffic flowed", guard=True)]
    assert _verdict(found, False)[1].startswith("traffic flowed")


@pytest.mark.parametrize(
    ("guards", "expected"),
    [
        ([result(P, guard=True)], F),
        ([result(I, guard=True)], I),
        ([result(I, guard=True, excuses=False)], F),
        ([result(P, guard=True), result(I, guard=True)], I),
    ],
)
def test_a_guard_excuses_failures_and_nothing_else(guards: list[CheckResult], expected: Result) -> None:
    found = _excused([result(F), result(P), result(S)], guards)
    assert [r.result for r in found] == [expected, P, S]
    assert ("could not measure" in found[0].reason) is (expected is I)


@pytest.mark.parametrize("code", [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.INCONCLUSIVE, 3)])
def test_exit_codes(code: tuple[Verdict, int]) -> None:
    assert code[0].exit_code == code[1]


# Borders of time


@pytest.mark.parametrize(("deadline", "expected"), [(3.0, P), (2.999, F)])
def test_a_deadline_includes_its_last_moment(deadline: float, expected: Result) -> None:
    found = evaluate(check(Mode.EVENTUALLY, deadline=deadline), view("0001"))
    assert found is not None
    assert found.result is expected


@pytest.mark.parametrize(("pattern", "expected"), [
    ("00000111", P), ("000000111", F), ("00000110111", F),
])  # fmt: skip
def test_a_hold_may_begin_until_its_deadline(pattern: str, expected: Result) -> None:
    """Within 5 s, for 2 s: what begins at 5 s passes at 7 s; at 7 s all is over."""
    found = evaluate(check(Mode.HOLDS), view(pattern))
    assert found is not None
    assert found.result is expected


def test_a_hold_that_begins_in_time_passes_although_it_broke_before() -> None:
    found = evaluate(check(Mode.HOLDS, deadline=9.0), view("1101111"))
    assert found is not None
    assert (found.result, found.since, found.at) == (P, 3.0, 5.0)


def looked_at(*moments: float, false_at: float | None = None, now: float = 30.0, speed: float = 15.0) -> View:
    """A condition that is true whenever the lab looks, but at one moment."""
    found = [Sample(t, {"x": float(t != false_at)}) for t in moments]
    return View(History(found, []), header(speed=speed), Phase.BROKEN, 0.0, now, False)


@pytest.mark.parametrize(("moments", "expected"), [
    ((0, 3, 6), P), ((0, 3.4, 6.8), P), ((0, 8), None), ((0, 1, 2, 8), None), ((0, 4, 8, 12), None),
    ((0, 8, 9, 10, 11, 12, 13), P),
])  # fmt: skip
def test_a_hold_is_not_seen_across_a_gap(moments: tuple[float, ...], expected: Result | None) -> None:
    hold = replace(check(Mode.HOLDS, deadline=60.0), condition=Threshold("x", "x", "above", 0.0), hold=Wait(real_s=5.0))
    found = evaluate(hold, looked_at(*moments))
    assert (found.result if found else None) is expected


@pytest.mark.parametrize(("moments", "expected"), [((0, 12, 24), P), ((0, 16, 24), None)])
def test_at_real_time_a_gap_is_longer_than_a_scrape_interval(
    moments: tuple[float, ...], expected: Result | None
) -> None:
    hold = replace(
        check(Mode.HOLDS, deadline=60.0), condition=Threshold("x", "x", "above", 0.0), hold=Wait(real_s=20.0)
    )
    found = evaluate(hold, looked_at(*moments, speed=1.0))
    assert (found.result if found else None) is expected


@pytest.mark.parametrize(("false_at", "expected"), [(None, I), (4.0, I), (8.0, F)])
def test_a_hold_that_only_gaps_have_broken_is_a_doubt(false_at: float | None, expected: Result) -> None:
    hold = replace(check(Mode.HOLDS, deadline=9.0), condition=Threshold("x", "x", "above", 0.0), hold=Wait(real_s=5.0))
    found = evaluate(hold, looked_at(0, 4, 8, 12, 13.9, false_at=false_at))
    assert found is not None
    assert found.result is expected
    assert (found.reason == "nothing was seen for over 3.5 s") is (expected is I)


def test_one_sample_is_no_hold() -> None:
    assert evaluate(check(Mode.HOLDS), view("-1")) is None


@pytest.mark.parametrize("mode", list(Mode))
def test_what_was_never_measured_is_inconclusive(mode: Mode) -> None:
    found = evaluate(check(mode), view("---------", closed=True))
    assert found is not None
    assert (found.result, found.reason) == (I, "nothing was measured")


def test_a_check_without_a_need_is_not_skipped() -> None:
    seen = view("000000")
    seen.history.add(Skipped(0.0, "wings", "no wings here"))
    found = evaluate(check(Mode.EVENTUALLY).needing("fins"), seen)
    assert found is not None
    assert found.result is F


# Whole runs


@dataclass(frozen=True)
class Always:
    answer: bool = True
    expected: str = "x"

    def at(self, seen: View, t: float) -> bool | None:
        return self.answer

    def observed(self, seen: View, t: float) -> str:
        return "x"


SCENARIO = Scenario("x", "x", Load(), (), (), (), (), alerts=("A",), seen_before_damage=False)


def run(*events: object, seconds: int = 20) -> History:
    return History(samples(seconds), list(events))  # type: ignore[arg-type]


def results(history: History, **changes: object) -> dict[str, tuple[Result, str]]:
    found = judge(SCENARIO, header(**changes), history)
    return {f"{p.phase.value}: {r.name}": (r.result, r.reason) for p in found.phases for r in p.results}


def test_an_empty_journal_is_inconclusive_in_every_phase() -> None:
    assert {r for r, _ in results(History()).values()} == {I}
    assert judge(SCENARIO, HEADER, History()).verdict is Verdict.INCONCLUSIVE


def test_a_control_run_has_no_broken_phase() -> None:
    phases = [p.phase.value for p in judge(SCENARIO, header(control=True), History()).phases]
    assert phases == ["steady", "control"]


def test_phases_after_a_failure_are_skipped_and_after_a_doubt_inconclusive() -> None:
    begun = (PhaseStarted(0.0, "steady"), Deployed(0.0, "healthy"), PhaseEnded(19.0, "steady"))
    doubt = results(run(*begun))["broken: only declared alerts"]
    assert doubt == (I, "not reached: the run ended in steady")
    failing = judge(replace(SCENARIO, onset=(replace(check(Mode.ALWAYS), condition=Always(False)),)), HEADER, run(
        *begun, PhaseStarted(0.0, "broken"), PhaseEnded(19.0, "broken"),
    ))  # fmt: skip
    assert failing.phases[1].results[0].result is I, "without traffic a failure says nothing"


def test_the_reason_of_an_inconclusive_run_is_what_could_not_be_measured() -> None:
    history = run(PhaseStarted(0.0, "steady"), Unmeasured(5.0, "interrupted"), RunEnded(19.0))
    assert judge(SCENARIO, HEADER, history).reason == "interrupted"


def test_a_damaged_journal_never_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.judge._verdict", lambda *_: (Verdict.PASS, ""))
    assert judge(SCENARIO, HEADER, History()).verdict is Verdict.PASS
    found = judge(SCENARIO, HEADER, History(), damaged="line 3 of 9: ValueError")
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE, "the journal is damaged: line 3 of 9: ValueError",
    )  # fmt: skip


# Guards, one by one


def seen_by(found: list, *events: object) -> View:
    end = found[-1].t
    return View(History(found, list(events)), JUDGE_HEADER, Phase.BROKEN, 0.0, end, True)  # type: ignore[arg-type]


@pytest.mark.parametrize(("ages", "expected"), [
    (lambda t: 0.5, True), (lambda t: 5.0, True), (lambda t: 5.1, False), (lambda t: None, None),
    (lambda t: 0.5 if t < 16 else None, True), (lambda t: 0.5 if t < 10 else None, False),
])  # fmt: skip
def test_evaluations_may_be_five_intervals_late_and_silence_is_late(ages: object, expected: bool | None) -> None:
    seen = seen_by(samples(20, evaluation_age_s=ages))  # type: ignore[arg-type]
    assert Evaluated().at(seen, 19.0) is expected


BOTH = ("rag", "prometheus")


@pytest.mark.parametrize(("up", "dies", "expected"), [
    (1.0, (), True), (0.0, (), False), (0.0, ("rag",), True), (None, (), False),
])  # fmt: skip
def test_targets_were_scraped(up: float | None, dies: tuple[str, ...], expected: bool) -> None:
    values = {"seen_up:prometheus": 1.0} | ({} if up is None else {"seen_up:rag": up})
    seen = seen_by(samples(20, **values))
    assert Scraped(dies, BOTH).at(seen, 19.0) is expected
    assert Scraped(dies, BOTH).at(seen, 18.0) is None


def test_seven_of_ten_scrapes_are_enough() -> None:
    def held(up: int) -> bool | None:
        values = {"seen_up:prometheus": 1.0, "seen_up:rag": lambda t: float(t % 10 < up)}
        return Scraped((), BOTH).at(seen_by(samples(106, **values)), 105.0)

    assert [held(6), held(7)] == [False, True]


def test_nothing_dies_before_the_fault_that_kills() -> None:
    from lab.events import Exited

    dead = Exited(5.0, "rag", -9, "killed at its memory limit")
    after, before = PhaseStarted(4.0, "broken"), PhaseStarted(6.0, "broken")
    assert Lived(killing("rag")).at(seen_by(samples(20), after, dead), 19.0) is True
    assert Lived(killing("rag")).at(seen_by(samples(20), before, dead), 19.0) is False
    assert Lived(killing()).at(seen_by(samples(20), after, dead), 19.0) is False
    assert Lived(killing()).at(seen_by(samples(20), after, dead), 4.0) is True


@pytest.mark.parametrize(("gap", "expected"), [(8, True), (9, False)])
def test_the_lab_may_blink(gap: int, expected: bool) -> None:
    found = [s for s in samples(40) if not 10 < s.t < 10 + gap]
    assert Measured().at(seen_by(found), 10.0 + gap) is expected


def test_what_could_not_be_measured_stays_so() -> None:
    seen = seen_by(samples(20), Unmeasured(5.0, "gone"))
    assert [Measured().at(seen, t) for t in (4.0, 5.0, 19.0)] == [True, False, False]
