"""Judging, one mode at a time, on histories of a few samples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from lab.events import Deployed, PhaseEnded, PhaseStarted, Skipped
from lab.history import History, Sample
from lab.journal import Header
from lab.judge import evaluate, judge
from lab.scenario import Check, Mode, Phase, Result, Verdict, Wait
from lab.view import View

HEADER = Header(
    scenario="x", variant="default", control=False, runtime="native", seed=1, speed=15.0, strict=False,
    own_alerts=("A",), watched_alerts=("A",), foreign_rules=False, pipeline_budget_s=1.0, evaluation_interval_s=1.0,
)  # fmt: skip


@dataclass(frozen=True)
class Is:
    """A sample `x` is 1 (true), 0 (false), absent (unknown)."""

    expected: str = "x"

    def at(self, view: View, t: float) -> bool | None:
        found = [s.values["x"] for s in view.history.samples if s.t == t and "x" in s.values]
        return bool(found[0]) if found else None

    def observed(self, view: View, t: float) -> str:
        return str(self.at(view, t))


def view(pattern: str, *, closed: bool = False, onset: float | None = None) -> View:
    """One tick a second: 1 true, 0 false, - unknown."""
    samples = [Sample(float(t), {} if c == "-" else {"x": float(c)}) for t, c in enumerate(pattern)]
    return View(History(samples), HEADER, Phase.BROKEN, 0.0, float(len(pattern) - 1), closed, onset)


def check(mode: Mode, *, deadline: float = 5.0, hold: float = 2.0, guard: bool = False, past: bool = False) -> Check:
    return Check("c", Is(), mode, Wait(real_s=deadline), Wait(real_s=hold), past, guard=guard)


@pytest.mark.parametrize(
    ("mode", "pattern", "closed", "expected"),
    [
        (Mode.EVENTUALLY, "0001", False, Result.PASS),
        (Mode.EVENTUALLY, "000", False, None),
        (Mode.EVENTUALLY, "000000", False, Result.FAIL),
        (Mode.EVENTUALLY, "000001", False, Result.PASS),
        (Mode.EVENTUALLY, "0000001", False, Result.FAIL),
        (Mode.EVENTUALLY, "------", False, Result.INCONCLUSIVE),
        (Mode.EVENTUALLY, "000", True, Result.INCONCLUSIVE),
        (Mode.HOLDS, "0111", False, Result.PASS),
        (Mode.HOLDS, "011", False, None),
        (Mode.HOLDS, "0110111", False, Result.PASS),
        (Mode.HOLDS, "01101101", False, Result.FAIL),
        (Mode.HOLDS, "11-11-11", False, Result.PASS),  # a look that shows nothing is none
        (Mode.HOLDS, "--------", False, Result.INCONCLUSIVE),
        (Mode.ALWAYS, "1111", False, None),
        (Mode.ALWAYS, "1111", True, Result.PASS),
        (Mode.ALWAYS, "1101", False, Result.FAIL),
        (Mode.ALWAYS, "----", True, Result.INCONCLUSIVE),
        (Mode.ALWAYS, "-1--", True, Result.PASS),
    ],
)
def test_modes(mode: Mode, pattern: str, closed: bool, expected: Result | None) -> None:
    result = evaluate(check(mode), view(pattern, closed=closed))
    assert (result and result.result) is expected


def test_a_hold_past_the_onset_must_outlast_it() -> None:
    long_enough = view("1" * 13, onset=10.0)
    too_short = view("1" * 11, onset=10.0)
    wanted = check(Mode.HOLDS, past=True)
    assert evaluate(wanted, too_short) is None
    result = evaluate(wanted, long_enough)
    assert result is not None
    assert result.result is Result.PASS
    assert "onset took 10 s" in result.expected


def test_a_guard_is_never_a_failure() -> None:
    result = evaluate(check(Mode.ALWAYS, guard=True), view("0"))
    assert result is not None
    assert result.result is Result.INCONCLUSIVE


def test_what_the_machine_lacks_is_skipped_with_the_reason() -> None:
    seen = view("000000")
    seen.history.add(Skipped(0.0, "wings", "no wings here"))
    result = evaluate(check(Mode.EVENTUALLY).needing("wings"), seen)
    assert result is not None
    assert (result.result, result.reason) == (Result.SKIPPED, "no wings here")


def test_an_empty_journal_is_inconclusive() -> None:
    from lab.catalog import find

    judgement = judge(find("cardinality").scenario, HEADER, History())
    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_deadlines_shrink_with_the_speed_and_real_time_does_not() -> None:
    wait = Wait(simulated_s=150, real_s=10)
    assert [wait.seconds(1), wait.seconds(15)] == [160, 20]


def test_delays_count_from_the_deployment_not_from_the_phase() -> None:
    history = History([Sample(float(t), {}) for t in range(10)])
    history.add(PhaseStarted(1.0, "broken"))
    history.add(Deployed(4.0, "broken"))
    history.add(PhaseEnded(8.0, "broken"))
    seen = View(history, HEADER, Phase.BROKEN, 1.0, 8.0, True)
    assert seen.zero == 4.0
    assert replace(seen, phase=Phase.FIXED).zero == 1.0


@pytest.mark.parametrize(("mode", "hold"), [(Mode.EVENTUALLY, 0.0), (Mode.HOLDS, 2.0)])
def test_a_slow_deployment_takes_nothing_of_the_deadline(mode: Mode, hold: float) -> None:
    """It is live after 16 s and well 4 s later, of 5. A journal of format 1 is judged as it was then: too late."""
    slow = view("0" * 20 + "1" * 5, closed=True)
    slow.history.add(Deployed(16.0, "broken"))
    asked = check(mode, deadline=5.0, hold=hold)
    for written_as, expected in ((2, Result.PASS), (1, Result.FAIL)):
        found = evaluate(asked, replace(slow, header=replace(HEADER, format=written_as)))
        assert found is not None
        assert found.result is expected


def test_a_deadline_ends_all_the_same() -> None:
    late = view("0" * 25 + "1", closed=True)
    late.history.add(Deployed(16.0, "broken"))
    found = evaluate(check(Mode.EVENTUALLY, deadline=5.0), late)
    assert found is not None
    assert found.result is Result.FAIL
