"""Traffic from a Locust master and workers: it adds up, and a worker that dies or hangs is noticed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from waiting import until

from lab.errors import LabError, LoadError
from lab.load import Figures, Traffic
from lab.rag.local import running
from lab.registry import Registration
from lab.runtime.native import NativeRuntime
from lab.scenario import Load

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parent.parent.parent
LOCUSTFILE = ROOT / "scenarios" / "cardinality" / "locustfile.py"
LOAD = Load(users=10, per_user=1.0)
SPEED = 10.0
DEADLINE_S = 90.0


@pytest.fixture
def traffic(tmp_path: Path, state: Path) -> Iterator[Traffic]:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    registration = Registration(f"workers-{os.getpid()}-{time.monotonic_ns()}", run_dir)
    runtime = NativeRuntime(registration.entry.run_id, run_dir, registration)
    with running() as service:
        found = Traffic(runtime, run_dir, f"127.0.0.1:{service.port}", 1, workers=2)
        try:
            yield found
        finally:
            found.stop()
            runtime.close()
            registration.remove()


def full(traffic: Traffic) -> Figures | None:
    found = traffic.figures()
    return found if found and found.users == LOAD.users and found.served > 0.8 * LOAD.rate(SPEED) else None


def broken(traffic: Traffic) -> str:
    """What `check` says, once it does."""
    said: list[LabError] = []

    def check() -> Figures | None:
        found = traffic.figures()
        try:
            traffic.check()
        except LabError as error:
            said.append(error)
            return found or Figures(0, 0, 0, 0, 0)
        return None

    until(check, DEADLINE_S, "a check fails")
    return str(said[0])


def pids(traffic: Traffic) -> dict[str, int]:
    return {name: process.pid for name, process in traffic._running.items()}


def test_users_are_shared_and_figures_add_up(traffic: Traffic) -> None:
    traffic.start(LOAD, LOCUSTFILE, SPEED)
    assert set(pids(traffic)) == {"load", "load-worker-1", "load-worker-2"}
    found = until(lambda: full(traffic), DEADLINE_S, "all users are served")
    assert found is not None
    assert (found.users, found.workers) == (10, 2)
    assert found.served == pytest.approx(100, rel=0.2)
    traffic.check()


@pytest.mark.whole  # a shape takes its time
@pytest.mark.parametrize("workers", [0, 2])
def test_users_follow_a_shape(traffic: Traffic, workers: int) -> None:
    traffic.workers = workers
    traffic.start(replace(LOAD, shape="spike"), LOCUSTFILE, 20.0)  # 3 s in every 12 s

    def users(number: int) -> Figures | None:
        found = traffic.figures()
        return found if found and found.users == number and found.served else None

    for number in (10, 20, 10):
        until(lambda number=number: users(number), DEADLINE_S, f"{number} users")
    traffic.check()


def test_a_worker_that_dies_is_named(traffic: Traffic) -> None:
    traffic.start(LOAD, LOCUSTFILE, SPEED)
    os.kill(pids(traffic)["load-worker-2"], signal.SIGKILL)
    assert broken(traffic).startswith("the load generator load-worker-2 ended with code -9")


def test_a_worker_that_hangs_is_missed(traffic: Traffic) -> None:
    traffic.start(LOAD, LOCUSTFILE, SPEED)
    worker = pids(traffic)["load-worker-1"]
    os.kill(worker, signal.SIGSTOP)
    try:
        assert broken(traffic) == "the load generator load has lost workers: 1 of 2 answer"
    finally:
        os.kill(worker, signal.SIGCONT)


def test_a_locustfile_that_does_not_load_is_told_at_once(traffic: Traffic, tmp_path: Path) -> None:
    wrong = tmp_path / "locustfile.py"
    wrong.write_text("import nowhere\n")
    with pytest.raises(LoadError, match=r"ended with code 1: .*nowhere"):
        traffic.start(LOAD, wrong, SPEED)
