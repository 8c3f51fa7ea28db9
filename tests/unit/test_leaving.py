"""In a series services of one run are stopped while the next starts its own; neither is measured beside the other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from histories import header

from lab.errors import LabError
from lab.journal import Journal
from lab.leaving import Leaving
from lab.runner import Run
from lab.story import Story

DEADLINE_S = 10.0
A_WHILE_S = 0.2


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def a_while() -> None:
    threading.Event().wait(A_WHILE_S)


def ending(tmp_path: Path, leaving: Leaving | None, stop: Callable[[], object], order: list[str]) -> Run:
    """A run of which nothing is left to do but to stop its services."""
    run = object.__new__(Run)
    run._built, run.leaving, run.run_dir = False, leaving, tmp_path
    run.journal = Journal(tmp_path / "journal.jsonl", header())
    run._closing = ExitStack()
    run._closing.callback(stop)
    run._stop(SimpleNamespace(remove=lambda: order.append("forgotten")), keep=False)  # type: ignore[arg-type]
    order.append("over")
    return run


def test_a_run_of_a_series_is_over_while_its_services_are_stopped(tmp_path: Path) -> None:
    order: list[str] = []
    over = threading.Event()
    with Leaving() as leaving:
        ending(tmp_path, leaving, lambda: over.wait(DEADLINE_S), order)
        assert order == ["over"]
        assert '"run_ended"' in (tmp_path / "journal.jsonl").read_text()
        over.set()
    assert order == ["over", "forgotten"]


def test_a_run_alone_is_over_when_its_services_are_gone(tmp_path: Path) -> None:
    order: list[str] = []
    ending(tmp_path, None, a_while, order)
    assert order == ["forgotten", "over"]


def test_the_next_run_starts_meanwhile_and_has_no_traffic_before_the_last_is_gone() -> None:
    order: list[str] = []
    started = threading.Event()

    def stop() -> None:
        assert started.wait(DEADLINE_S)
        a_while()
        order.append("the last is gone")

    def start() -> None:
        order.append("started")
        started.set()

    def traffic() -> None:
        order.append("traffic")
        raise LabError("seen enough")

    run = object.__new__(Run)
    run.plan = SimpleNamespace(scenario=SimpleNamespace(replicas=None))  # type: ignore[assignment]
    run.stack, run.story = SimpleNamespace(start=start, urls=dict), Story()  # type: ignore[assignment]
    run._load = traffic  # type: ignore[method-assign]
    with Leaving() as run.leaving:
        run.leaving.begin(stop)
        with pytest.raises(LabError, match="seen enough"):
            run._phases()
    assert order == ["started", "the last is gone", "traffic"]


def test_interrupts_do_not_cut_it_short() -> None:
    stopped = []

    def stop() -> None:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
            a_while()
        stopped.append("whole")

    with pytest.raises(KeyboardInterrupt), Leaving() as leaving:
        leaving.begin(stop)
    assert stopped == ["whole"]


def test_nor_does_one_that_comes_just_before_it_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []

    def stop() -> None:
        a_while()
        stopped.append("whole")

    @contextmanager
    def too_late() -> Iterator[None]:
        signal.raise_signal(signal.SIGINT)
        yield

    with pytest.raises(KeyboardInterrupt), Leaving() as leaving:
        leaving.begin(stop)
        monkeypatch.setattr("lab.leaving.put_off", too_late)
    assert stopped == ["whole"]


def refused() -> None:
    raise PermissionError(1, "Operation not permitted")


def test_what_could_not_be_stopped_is_known_at_the_end_and_keeps_no_other_up() -> None:
    stopped = []
    with Leaving() as leaving:
        leaving.begin(refused)
        leaving.begin(lambda: stopped.append("the next"))
    assert stopped == ["the next"]
    assert leaving.errors == ("[Errno 1] Operation not permitted",)


def test_nothing_is_measured_beside_what_could_not_be_stopped() -> None:
    with Leaving() as leaving:
        leaving.begin(refused)
        with pytest.raises(LabError, match=r"^what the run before had started could not be stopped: .*not permitted"):
            leaving.settled()


def test_room_is_reckoned_for_one_stack_of_a_scale() -> None:
    order: list[str] = []

    def stop() -> None:
        a_while()
        order.append("the last is gone")

    def start() -> None:
        order.append("started")
        raise LabError("seen enough")

    run = object.__new__(Run)
    run.plan = SimpleNamespace(scenario=SimpleNamespace(replicas=object()))  # type: ignore[assignment]
    run.stack = SimpleNamespace(start=start)  # type: ignore[assignment]
    with Leaving() as run.leaving:
        run.leaving.begin(stop)
        with pytest.raises(LabError, match="seen enough"):
            run._phases()
    assert order == ["the last is gone", "started"]
