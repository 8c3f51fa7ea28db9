"""A fix under which the service crashes is a failure with its last words, and no doubt; a kill from outside is one."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from histories import header, samples

from lab.catalog import find
from lab.conditions.deaths import Survives
from lab.errors import StartError
from lab.events import Deployed, Event, Exited, PhaseEnded, PhaseStarted, Unmeasured
from lab.history import History
from lab.journal import Journal
from lab.judge import judge
from lab.ready import tail
from lab.runner import Run
from lab.scenario import Phase, Result, Verdict
from lab.stack import Stack
from lab.story import Story

SAID = "exit code 2: rag: --metrics metrics.py: ModuleNotFoundError: No module named 'promfetheus'"
LIMIT = "killed by the lab at its memory limit of 192 MiB (193 MiB resident)"
UNTIL_THE_FIX = (
    PhaseStarted(0.0, "steady"), Deployed(0.0, "healthy"), PhaseEnded(10.0, "steady"),
    PhaseStarted(10.0, "broken"), Deployed(12.0, "broken"), PhaseEnded(30.0, "broken"), PhaseStarted(30.0, "fixed"),
)  # fmt: skip


def fixed_phase(*events: Event) -> tuple[Verdict, str, dict[str, Result]]:
    """Verdict, reason, and the checks of the fixed phase of a run that ends with it."""
    history = History(samples(36), [*UNTIL_THE_FIX, *events])
    found = judge(find("cardinality").scenario, header(scenario="cardinality"), history)
    phase = next(p for p in found.phases if p.phase is Phase.FIXED)
    return found.verdict, found.reason, {r.name: r.result for r in phase.results}


@pytest.mark.parametrize("events", [
    (Exited(31.0, "rag", 2, SAID), PhaseEnded(31.0, "fixed")),
    (Deployed(31.0, "fixed"), Exited(35.0, "rag", 2, SAID), PhaseEnded(35.1, "fixed")),
    (Deployed(31.0, "fixed"), Exited(35.0, "rag", -11, SAID), PhaseEnded(35.1, "fixed")),
], ids=["at its start", "later", "by a fault of its own"])  # fmt: skip
def test_it_fails_with_the_last_words(events: tuple[Event, ...]) -> None:
    verdict, reason, results = fixed_phase(*events)
    assert results["service survives the fix"] is Result.FAIL
    assert results["services lived"] is Result.INCONCLUSIVE
    assert verdict is Verdict.FAIL
    assert reason == f"service survives the fix: rag ended: {SAID}"


@pytest.mark.parametrize("end", [
    Exited(35.0, "rag", -9, "signal 9"), Exited(35.0, "rag", 137, "killed"), Exited(35.0, "rag", -15, "signal 15"),
    Exited(35.0, "rag", -9, LIMIT), Exited(35.0, "prometheus", 2, "exit code 2"),
])  # fmt: skip
def test_what_comes_from_outside_or_elsewhere_stays_a_doubt(end: Exited) -> None:
    verdict, _, results = fixed_phase(Deployed(31.0, "fixed"), end, PhaseEnded(35.1, "fixed"))
    assert results["service survives the fix"] is Result.PASS
    assert verdict is Verdict.INCONCLUSIVE


def test_an_end_before_the_fix_is_none_of_its_own() -> None:
    _, _, results = fixed_phase(Exited(29.0, "rag", 2, SAID), Deployed(31.0, "fixed"), PhaseEnded(35.1, "fixed"))
    assert results["service survives the fix"] is Result.PASS


def test_the_condition_says_how_it_ended() -> None:
    assert Survives("rag").expected == "rag starts and does not end by itself"
    assert Exited(0.0, "rag", 0, "exit code 0").by_itself
    assert not Exited(0.0, "rag", -signal.SIGINT, "signal 2").by_itself


# The runner


class FakeStack(Stack):
    """A stack whose release does not start."""

    def __init__(self, ends: list[tuple[str, int, str]]) -> None:
        self.ends = ends

    def deploy(self, *_: object, **__: object) -> None:
        raise StartError("rag ended with code 2 while it was awaited: said")

    def renew_patient(self, *_: object) -> None:
        return None

    def give_up(self) -> None:
        return None

    def ended(self) -> list[tuple[str, int, str]]:
        ends, self.ends = self.ends, []
        return ends


def run_of(tmp_path: Path, *ends: tuple[str, int, str]) -> Run:
    run = object.__new__(Run)
    found = find("cardinality")
    run.plan = SimpleNamespace(scenario=found.scenario, fixed=found.deployment("fixed"))  # type: ignore[assignment]
    run.story, run.stack = Story(), FakeStack(list(ends))
    run.sampler = SimpleNamespace(stop=lambda: None)  # type: ignore[assignment]
    run.journal = Journal(tmp_path / "journal.jsonl", header())
    return run


def test_the_runner_writes_down_how_it_ended_and_goes_on_to_unwind(tmp_path: Path) -> None:
    run = run_of(tmp_path, ("rag", 2, SAID))
    assert run._fix() is False
    kinds = [type(e) for e in run.journal.history.events]
    assert kinds == [PhaseStarted, Exited, PhaseEnded]
    assert not list(run.journal.history.of(Unmeasured))


@pytest.mark.parametrize("ends", [(), (("rag", -9, "signal 9"),), (("prometheus", 1, "exit code 1"),)])
def test_a_release_that_does_not_come_up_for_another_reason_is_a_doubt(
    ends: tuple[tuple[str, int, str], ...], tmp_path: Path
) -> None:
    with pytest.raises(StartError):
        run_of(tmp_path, *ends)._fix()


def test_who_watches_for_ends_may_be_quicker_than_who_awaits(tmp_path: Path) -> None:
    stack = object.__new__(Stack)
    stack.running, stack.run_dir = {}, tmp_path
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "rag.log").write_text("one\nthe last words\n")
    with pytest.raises(StartError, match=r"rag ended while it was awaited: one \| the last words"):
        stack.wait_ready(["rag"])
    assert tail(tmp_path / "logs" / "rag.log", 1) == "the last words"
