"""A service that a fault ends by itself: by its exit code, again at each restart, never by a signal from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import header, samples, view
from test_recorded import judged

from lab import restarts, signals
from lab.catalog import find
from lab.conditions.alerts import Raised
from lab.conditions.deaths import Ended
from lab.errors import StartError
from lab.events import Deployed, Event, Exited, Notified, PhaseStarted, Restarted, Unmeasured
from lab.guards import Lived
from lab.history import History
from lab.journal import Journal
from lab.judge import judge
from lab.restarts import Restarts
from lab.runtime.protocol import ServiceSpec
from lab.scenario import Load, Result, Scenario, Verdict
from lab.stack import Stack

CRASH = Scenario(
    "mine", "Mine", Load(), (), (), (), (), alerts=("A",), dies=("prometheus",), exit_codes={"prometheus": 2},
    restarts=True,
)  # fmt: skip


def ended(t: float, code: int = 2, service: str = "prometheus") -> Exited:
    return Exited(t, service, code, f"exit code {code}")


@pytest.mark.parametrize(("service", "code", "expected"), [
    ("prometheus", 2, True), ("prometheus", -9, False), ("prometheus", 1, False), ("rag", 2, False),
])  # fmt: skip
def test_a_fault_kills_with_its_exit_code(service: str, code: int, expected: bool) -> None:
    assert CRASH.kills(ended(5.0, code, service)) is expected
    lived = Lived(CRASH.kills)
    seen = view(samples(20), PhaseStarted(4.0, "broken"), ended(5.0, code, service))
    assert lived.at(seen, 19.0) is expected


@pytest.mark.parametrize(
    ("code", "how", "expected"),
    [(-9, "killed at its memory limit", True), (137, "killed at its memory limit", True), (1, "exit code 1", True),
     (-9, "signal 9", False), (137, "exit code 137", False), (-15, "signal 15", False)],
)  # fmt: skip
def test_without_an_exit_code_it_ends_by_itself_or_at_its_limit_and_not_from_outside(
    code: int, how: str, expected: bool
) -> None:
    dead = Exited(5.0, "prometheus", code, how)
    kills = replace(CRASH, exit_codes={}).kills
    assert kills(dead) is expected
    seen = view(samples(20), PhaseStarted(4.0, "broken"), dead)
    assert Lived(kills).at(seen, 19.0) is expected


def test_before_the_fault_its_exit_code_excuses_nothing() -> None:
    lived = Lived(CRASH.kills)
    assert lived.at(view(samples(20), ended(3.0), PhaseStarted(4.0, "broken")), 19.0) is False


@pytest.mark.parametrize(("events", "once", "again"), [
    ((), False, False),
    ((ended(6.0),), True, False),
    ((ended(6.0), ended(7.0)), True, True),
    ((ended(6.0), ended(7.0, -9)), True, False),
    ((ended(6.0, 1), ended(7.0, 1)), False, False),
    ((ended(6.0, service="rag"), ended(7.0)), True, False),
    ((ended(1.0), ended(6.0)), True, False),  # before broken/ was live
])  # fmt: skip
def test_ends_are_counted_by_exit_code(events: tuple[Event, ...], once: bool, again: bool) -> None:
    seen = view(samples(20), Deployed(2.0, "broken"), *events, start=1.5)
    assert Ended("prometheus", 2, 1).at(seen, 19.0) is once
    assert Ended("prometheus", 2, 2).at(seen, 19.0) is again


def test_an_end_is_told_with_its_moment_and_whether_it_was_ready_before() -> None:
    live = Deployed(2.0, "broken")
    never = view(samples(20), live, ended(6.0), ended(7.0))
    assert Ended("prometheus", 2, 1).observed(never, 19.0) == "exit code 2, after 4.0 s"
    assert Ended("prometheus", 2, 2).observed(never, 19.0) == "exit code 2, after 5.0 s, never ready in between"
    ready = view(samples(20), live, ended(6.0), Restarted(7.0, "prometheus"), ended(9.5))
    assert Ended("prometheus", 2, 2).observed(ready, 19.0).endswith("ready for 2.5 s in between")
    assert Ended("prometheus", 2, 1).observed(view(samples(20), live), 19.0) == "alive"


@pytest.mark.parametrize(("state", "raised", "said"), [
    (signals.FIRING, True, "fires"), (signals.PENDING, False, "pending"), (signals.INACTIVE, False, "inactive"),
    (None, None, "no data"),
])  # fmt: skip
def test_raised_is_firing_whether_or_not_anybody_is_told(state: float | None, raised: bool | None, said: str) -> None:
    seen = view(samples(20, **{signals.alert_state("A"): lambda _: state}))
    assert Raised("A").at(seen, 19.0) is raised
    assert Raised("A").observed(seen, 19.0) == said


class Process:
    def __init__(self, code: int | None = None) -> None:
        self.code = code

    def exit_code(self) -> int | None:
        return self.code


class Inline:
    """An executor that does it at once."""

    def submit(self, do: Callable[..., None], *args: Any) -> None:
        do(*args)

    def shutdown(self, wait: bool = True) -> None:
        pass


class FakeStack:
    """Names what it was asked to start again; `then`: what comes of it, an error or whether it is ready."""

    speed = 15.0

    def __init__(self, scenario: Scenario = CRASH, then: bool | StartError = True) -> None:
        self.scenario, self.then = scenario, then
        self.dead: list[tuple[str, int, str]] = []
        self.running: dict[str, Process] = {}
        self.asked: list[str] = []

    def ended(self) -> list[tuple[str, int, str]]:
        told, self.dead = self.dead, []
        return told

    def restart(self, name: str) -> bool:
        self.asked.append(name)
        if isinstance(self.then, StartError):
            raise self.then
        return self.then


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time as `restarts` sees it; put another number in."""
    now = [1000.0]
    monkeypatch.setattr(restarts.time, "time", lambda: now[0])
    return now


def begin(stack: FakeStack, tmp_path: Path) -> Restarts:
    return Restarts(stack, Journal(tmp_path / "j", header()), _pool=Inline())  # type: ignore[arg-type]


def die(stack: FakeStack, found: Restarts, code: int = 2, service: str = "prometheus", how: str = "") -> None:
    stack.dead = [(service, code, how or f"exit code {code}")]
    found.step()


def test_the_first_restart_is_at_once_and_told(tmp_path: Path, clock: list[float]) -> None:
    stack = FakeStack()
    found = begin(stack, tmp_path)
    die(stack, found)
    assert stack.asked == ["prometheus"]
    assert [type(e) for e in found.journal.history.events] == [Exited, Restarted]
    die(stack, found)  # it was ready: at once again
    assert stack.asked == ["prometheus"] * 2


def test_one_that_was_never_ready_waits_five_simulated_minutes(tmp_path: Path, clock: list[float]) -> None:
    stack = FakeStack(then=StartError("ended with code 2"))
    found = begin(stack, tmp_path)
    die(stack, found)
    die(stack, found)
    clock[0] += 19.9
    found.step()
    assert stack.asked == ["prometheus"]
    clock[0] += 0.2  # 300 s / 15
    found.step()
    assert stack.asked == ["prometheus"] * 2
    assert not list(found.journal.history.of(Unmeasured))


@pytest.mark.parametrize(("scenario", "code", "service"), [
    (CRASH, -9, "prometheus"), (CRASH, 2, "rag"), (replace(CRASH, restarts=False), 2, "prometheus"),
])  # fmt: skip
def test_what_the_fault_does_not_kill_is_not_started_again(
    scenario: Scenario, code: int, service: str, tmp_path: Path
) -> None:
    stack = FakeStack(scenario)
    found = begin(stack, tmp_path)
    die(stack, found, code, service)
    assert (stack.asked, len(list(found.journal.history.of(Exited)))) == ([], 1)


def test_a_restart_that_hangs_could_not_be_measured(tmp_path: Path) -> None:
    stack = FakeStack(then=StartError("not ready after 15 s"))
    stack.running["prometheus"] = Process(code=None)
    found = begin(stack, tmp_path)
    die(stack, found)
    assert [e.reason for e in found.journal.history.of(Unmeasured)] == [
        "prometheus could not be restarted: not ready after 15 s"
    ]


def test_a_service_without_an_exit_code_that_does_not_come_back_could_not_be_measured(tmp_path: Path) -> None:
    stack = FakeStack(replace(CRASH, dies=("rag",), exit_codes={}), then=StartError("x"))
    found = begin(stack, tmp_path)
    die(stack, found, -9, "rag")  # by somebody: it is not started again
    assert not list(found.journal.history.of(Unmeasured))
    die(stack, found, -9, "rag", "killed at its memory limit")
    assert list(found.journal.history.of(Unmeasured))


def test_a_restart_leaves_alone_what_a_deployment_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr("lab.stack.wait_ready", lambda *_: None)

    class Runtime:
        def start(self, spec: ServiceSpec) -> Any:
            started.append(spec.name)
            process = Process()
            process.spec = spec  # type: ignore[attr-defined]
            return process

        def address(self, *_: str) -> str:
            return "127.0.0.1:1"

    stack = Stack(Runtime(), None, CRASH, {}, 15.0, 1, tmp_path)  # type: ignore[arg-type]
    monkeypatch.setattr(stack, "_patient", lambda: ServiceSpec("prometheus", (), "/", "http"))
    monkeypatch.setattr(stack, "_write_targets", lambda: None)
    assert [stack.restart("prometheus"), stack.restart("prometheus")] == [True, False]
    assert started == ["prometheus"]


def doctored(change: Callable[[Event], Event | None]) -> tuple[Verdict, dict[str, Result]]:
    """The recorded run with each of its events changed, or dropped."""
    _, recording = judged("cardinality/crash_pass")
    assert recording.header is not None
    events = [e for event in recording.history.events if (e := change(event)) is not None]
    scenario = find("cardinality", "crash").scenario
    judgement = judge(scenario, recording.header, History(recording.history.samples, events))
    return judgement.verdict, {f"{p.phase.value}: {r.name}": r.result for p in judgement.phases for r in p.results}


def test_a_kill_from_outside_is_neither_pass_nor_fail() -> None:
    verdict, results = doctored(lambda e: replace(e, code=-9, how="signal 9") if isinstance(e, Exited) else e)
    assert results["broken: services lived"] is Result.INCONCLUSIVE
    assert verdict is Verdict.INCONCLUSIVE
    assert Result.FAIL not in results.values()


def test_an_alert_that_never_comes_fails() -> None:
    verdict, results = doctored(lambda e: None if isinstance(e, Notified) and e.status == "firing" else e)
    assert results["broken: seen before it hurts"] is Result.FAIL
    assert verdict is Verdict.FAIL


def test_a_restart_that_helps_is_not_this_failure() -> None:
    first = next(e for e in judged("cardinality/crash_pass")[1].history.of(Exited))
    verdict, results = doctored(lambda e: None if isinstance(e, Exited) and e.t > first.t else e)
    assert results["broken: prometheus exits with 2"] is Result.PASS
    assert results["broken: prometheus exits with 2 again"] is not Result.PASS
    assert verdict is not Verdict.PASS


def test_a_fixed_server_that_ends_again_is_not_cured() -> None:
    _, recording = judged("cardinality/crash_pass")
    live = next(e for e in recording.history.of(Deployed) if e.what == "fixed")
    added = ended(live.t + 8)
    scenario = find("cardinality", "crash").scenario
    assert recording.header is not None
    events = sorted([*recording.history.events, added], key=lambda e: e.t)
    judgement = judge(scenario, recording.header, History(recording.history.samples, events))
    assert judgement.verdict is Verdict.FAIL
    assert [r.name for r in judgement.results() if r.result is Result.FAIL] == ["prometheus lives on"]
