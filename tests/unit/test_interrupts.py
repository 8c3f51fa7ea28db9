"""A run that is interrupted or fails while it is put together leaves nothing; one that stops is not cut short."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from histories import header

from lab import catalog
from lab.catalog import find
from lab.classroom import __main__ as classroom
from lab.classroom.general import general
from lab.classroom.prepared import Prepared
from lab.cli import run_cli
from lab.deployment import HEALTHY
from lab.errors import LabError, OverTime
from lab.interrupts import ENDING, POLITE, answered_once, ignored, interrupting, put_off
from lab.options import Options
from lab.outcome import Outcome
from lab.plan import Plan
from lab.registry import Registration, entries
from lab.runner import Run
from lab.runtime.native import NativeRuntime
from lab.runtime.place import Place
from lab.runtime.protocol import VolumeSpec
from lab.scenario import Storage
from lab.stack import Stack
from lab.story import Story


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDING}
    # A suite that runs in the background, or under nohup, inherits them ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def end() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_signal_is_answered_at_the_end_of_what_it_would_have_cut_short() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), put_off():
        end()
        end()
        done.append("whole")
    assert done == ["whole"]


def test_a_signal_is_answered_whatever_becomes_of_what_it_would_have_cut_short() -> None:
    with pytest.raises(KeyboardInterrupt), put_off():
        end()
        raise LabError("the engine did not answer")


def test_who_interrupts_is_heard_before_the_end_of_the_time() -> None:
    with pytest.raises(KeyboardInterrupt), answered_once(60.0), put_off():
        signal.raise_signal(signal.SIGALRM)
        end()


@pytest.mark.parametrize("first", [*POLITE, signal.SIGALRM])
def test_the_first_signal_ends_it_and_others_do_not_cut_short_what_is_undone(first: signal.Signals) -> None:
    before = [signal.getsignal(number) for number in ENDING]
    undone = []
    with pytest.raises(OverTime if first == signal.SIGALRM else KeyboardInterrupt), answered_once(60.0):
        try:
            signal.raise_signal(first)
        finally:
            for number in ENDING:
                signal.raise_signal(number)
            undone.append("whole")
    assert undone == ["whole"]
    assert [signal.getsignal(number) for number in ENDING] == before


@pytest.mark.parametrize("number", POLITE)
def test_what_was_ignored_before_stays_so(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with interrupting(), answered_once():
        signal.raise_signal(number)


@pytest.mark.parametrize("number", POLITE)
def test_a_kill_and_a_closed_terminal_end_a_command_as_ctrl_c_does(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalog, "names", lambda: signal.raise_signal(number))
    assert run_cli(["list"]) == 130
    assert capsys.readouterr().err.strip() == "lab: interrupted"


def test_without_a_signal_nothing_is_changed() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before = [signal.getsignal(number) for number in ENDING]
    with put_off():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    with ignored():
        pass
    assert [signal.getsignal(number) for number in ENDING] == before


@pytest.mark.parametrize("number", ENDING)
def test_what_stops_is_not_cut_short(number: signal.Signals) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(number, cut)
    with ignored():
        signal.raise_signal(number)
    assert signal.getsignal(number) is cut


def test_a_time_that_is_over_while_it_stops_says_nothing_afterwards() -> None:
    rang = threading.Event()
    signal.signal(signal.SIGALRM, lambda *_: rang.set())
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with ignored():
        pass
    assert not rang.wait(0.8)


class Building(NativeRuntime):
    """Something happens while a volume is made: a child is there that nobody else knows of."""

    happens: Callable[[], None]

    def data_dir(self, volume: VolumeSpec) -> Path:
        self.held = True
        type(self).happens()
        return super().data_dir(VolumeSpec(volume.name))

    def close(self) -> None:
        self.held = False
        super().close()


def run(tmp_path: Path, happens: Callable[[], None]) -> tuple[Outcome, Building]:
    made: list[Building] = []

    def runtime(run_id: str, run_dir: Path, registration: Registration) -> Building:
        made.append(type("Of", (Building,), {"happens": staticmethod(happens)})(run_id, run_dir, registration))
        return made[0]

    return played(tmp_path, runtime), made[0]


@dataclass(frozen=True)
class Of(Place):
    """Where the runtime is a test's own."""

    made: Callable[[str, Path, Registration], NativeRuntime] = NativeRuntime

    def _runtime(self, *given: Any) -> NativeRuntime:
        return self.made(*given)


def played(
    tmp_path: Path, runtime: Callable[[str, Path, Registration], NativeRuntime], story: Story | None = None
) -> Outcome:
    found = find("cardinality")
    servers = SimpleNamespace(prometheus=SimpleNamespace(version=(2, 42)), alertmanager=None)
    place = Of("native", servers, made=runtime)  # type: ignore[arg-type]
    given = Options(out=tmp_path / "runs", keep=True)
    plan = Plan(found, found.scenario, given, place, {}, HEALTHY, HEALTHY, header(scenario="cardinality"))  # type: ignore[arg-type]
    return Run(plan, story or Story()).execute()


def test_an_interrupt_while_it_is_put_together_leaves_nothing(tmp_path: Path, state: Path) -> None:
    outcome, runtime = run(tmp_path, end)
    assert (outcome.exit_code, outcome.judgement.reason) == (130, "interrupted")
    assert not runtime.held
    assert not runtime.temp.exists()
    assert list(entries()) == []


def test_a_failure_while_it_is_put_together_is_inconclusive_and_leaves_nothing(tmp_path: Path, state: Path) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    outcome, runtime = run(tmp_path, full)
    assert outcome.exit_code == 3
    assert "No space left on device" in outcome.judgement.reason
    assert not runtime.held
    assert not runtime.temp.exists()
    assert list(entries()) == []


def test_a_runtime_that_fails_half_made_stays_registered_for_the_next_sweep(tmp_path: Path, state: Path) -> None:
    temp: list[Path] = []

    def runtime(run_id: str, run_dir: Path, registration: Registration) -> NativeRuntime:
        temp.append(NativeRuntime(run_id, run_dir, registration).temp)
        raise LabError("network: no address pool is left")

    found = played(tmp_path, runtime)
    assert (found.exit_code, found.judgement.reason) == (3, "network: no address pool is left")
    ((_, entry),) = entries()
    assert entry.folders == [str(temp[0])]
    temp[0].rmdir()


def test_a_stack_that_stays_up_and_is_interrupted_while_it_is_put_together_leaves_nothing(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Building] = []

    def runtime(*given: Any) -> Building:
        made.append(type("Of", (Building,), {"happens": staticmethod(end)})(*given))
        end()  # it is there, and nobody has it yet
        return made[0]

    monkeypatch.setattr(classroom, "_log_to", lambda path: path.parent.mkdir())
    place = Of("native", SimpleNamespace(), made=runtime)  # type: ignore[arg-type]
    scenario = replace(general(), storage=Storage(size_mib=8))
    with pytest.raises(KeyboardInterrupt):
        classroom._own(Prepared("", scenario, tmp_path, place, {}, Options(out=tmp_path / "runs")))
    assert not made[0].held
    assert not made[0].temp.exists()
    assert list(entries()) == []


def test_a_story_that_cannot_be_told_keeps_nothing_up(tmp_path: Path, state: Path) -> None:
    made: list[NativeRuntime] = []

    class Mute(Story):
        def unwinding(self) -> None:
            raise SystemExit(1)

    def runtime(*given: Any) -> NativeRuntime:
        made.append(NativeRuntime(*given))
        end()
        return made[0]

    with pytest.raises(SystemExit):
        played(tmp_path, runtime, Mute())
    assert not made[0].temp.exists()
    assert list(entries()) == []


def test_one_service_that_cannot_be_stopped_keeps_no_other_up_and_is_tried_again(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[NativeRuntime] = []

    def runtime(*given: Any) -> NativeRuntime:
        made.append(NativeRuntime(*given))
        end()
        return made[0]

    def refuses(_: Stack) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Stack, "stop_services", refuses)
    with pytest.raises(PermissionError):
        played(tmp_path, runtime)
    assert not made[0].temp.exists()
    ((_, entry),) = entries()
    assert entry.run_id == made[0].run_id
    (journal,) = (tmp_path / "runs").glob("*/*/journal.jsonl")
    assert '"run_ended"' in journal.read_text()


def test_an_interrupt_at_the_very_end_ends_the_series(tmp_path: Path, state: Path) -> None:
    class Late(Story):
        def unwinding(self) -> None:
            end()

    def runtime(*_: object) -> NativeRuntime:
        raise LabError("network: no address pool is left")

    assert [played(tmp_path, runtime, story).exit_code for story in (Story(), Late())] == [3, 130]


def test_a_terminal_that_takes_no_more_is_an_interrupt_and_no_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed() -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(catalog, "names", closed)
    assert run_cli(["list"]) == 130
