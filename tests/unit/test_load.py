"""The traffic: to this machine only, and its figures add up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LoadError, UsageError
from lab.load import SILENT_S, Traffic, require_loopback
from lab.scenario import Load


@pytest.mark.parametrize("address", ["127.0.0.1:80", "localhost:80", "[::1]:80", "127.9.9.9:1"])
def test_load_goes_to_this_machine(address: str) -> None:
    require_loopback(address)


@pytest.mark.parametrize("address", [
    "10.0.0.1:80", "example.com:80", "0.0.0.0:80", "localhost.example.com:80", ":80", "127.0.0.1.nip.io:80", "[::]:80",
])  # fmt: skip
def test_load_goes_nowhere_else(address: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        require_loopback(address)


class Process:
    def __init__(self, log: Path) -> None:
        self.code: int | None = None
        self.log = log

    def exit_code(self) -> int | None:
        return self.code


class Runtime:
    def __init__(self, log: Path) -> None:
        self.log = log
        self.started: list[Any] = []
        self.stopped: list[Any] = []

    def start(self, spec: Any) -> Process:
        self.started.append(spec)
        return Process(self.log)

    def stop(self, process: Any) -> None:
        self.stopped.append(process)


@pytest.fixture
def traffic(tmp_path: Path) -> Traffic:
    (tmp_path / "logs").mkdir()
    return Traffic(Runtime(tmp_path / "log"), tmp_path, "127.0.0.1:80", 7)  # type: ignore[arg-type]


def report(tmp: Path, name: str, *seconds: tuple[float, float, float]) -> None:
    """Lines of (age, served, p95) of a process."""
    with (tmp / "logs" / f"{name}.stats.jsonl").open("a") as out:
        for age, served, p95 in seconds:
            told = {"t": time.time() - age, "users": 5, "served": served, "failed": 1.0, "p95_s": p95}
            out.write(json.dumps(told) + "\n")


def begin(traffic: Traffic, *names: str) -> None:
    for name in names:
        traffic.start(Load(users=5, per_user=2.0), Path("l.py"), 15.0, name=name)


def test_rate_and_seed_are_given_to_locust(traffic: Traffic) -> None:
    begin(traffic, "load")
    (spec,) = traffic.runtime.started  # type: ignore[attr-defined]
    assert (spec.env["LAB_USER_RATE"], spec.env["LAB_SEED"]) == ("30.0", "7")
    assert spec.argv[spec.argv.index("--users") + 1] == "5"
    assert spec.argv[spec.argv.index("--host") + 1] == "http://127.0.0.1:80"


def test_without_users_nothing_is_started(traffic: Traffic) -> None:
    traffic.start(Load(users=0), Path("l.py"), 15.0)
    assert traffic.runtime.started == []  # type: ignore[attr-defined]
    assert traffic.figures() is None


def test_processes_add_up_and_seconds_are_averaged(traffic: Traffic, tmp_path: Path) -> None:
    begin(traffic, "a", "b")
    report(tmp_path, "a", (1.0, 100.0, 0.1), (0.0, 200.0, 0.3))
    assert traffic.figures() is None, "one of the two has not reported"
    report(tmp_path, "b", (0.0, 50.0, 0.2))
    found = traffic.figures()
    assert found is not None
    assert (found.served, found.failed, found.users, found.p95_s) == (200.0, 2.0, 10, 0.3)


def test_a_figure_lasts_until_it_is_stale(traffic: Traffic, tmp_path: Path) -> None:
    begin(traffic, "a")
    report(tmp_path, "a", (SILENT_S - 1.0, 100.0, 0.1))
    assert traffic.figures() is not None
    assert traffic.figures() is not None
    begin(traffic, "b")
    report(tmp_path, "b", (SILENT_S + 1.0, 100.0, 0.1))
    assert traffic.figures() is None


def test_a_line_that_is_half_written_is_read_when_it_is_whole(traffic: Traffic, tmp_path: Path) -> None:
    begin(traffic, "a")
    report(tmp_path, "a", (0.0, 100.0, 0.1))
    whole = (tmp_path / "logs" / "a.stats.jsonl").read_text()
    (tmp_path / "logs" / "a.stats.jsonl").write_text(whole[:20])
    assert traffic.figures() is None
    (tmp_path / "logs" / "a.stats.jsonl").write_text(whole)
    found = traffic.figures()
    assert found is not None
    assert found.served == 100.0


def test_a_generator_that_ended_is_named_with_its_last_line(traffic: Traffic, tmp_path: Path) -> None:
    begin(traffic, "load")
    traffic.check()
    (tmp_path / "log").write_text("first\nno module named x\n")
    traffic._running["load"].code = 1  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match="load ended with code 1: no module named x"):
        traffic.check()


def test_stopping_stops_what_runs(traffic: Traffic, tmp_path: Path) -> None:
    begin(traffic, "a", "b")
    running = dict(traffic._running)
    running["a"].code = 1  # type: ignore[attr-defined]
    (tmp_path / "log").touch()
    traffic.stop()
    assert traffic.runtime.stopped == [running["b"]]  # type: ignore[attr-defined]
