"""Workers that somebody starts from the printed command: the run uses them, misses them, and does not wait for ever."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from lab_run import LAB, journal_says, run_lab
from waiting import until

pytestmark = pytest.mark.e2e
DEADLINE_S = 120.0


@contextmanager
def running(tmp: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """`lab run cardinality ARGS`, ended as a user would where the test fails; prose in `tmp/told`."""
    with (tmp / "told").open("w") as told:
        process = subprocess.Popen(
            [*LAB, "run", "cardinality", *args, "--out", str(tmp / "runs"), "--json", "-"],
            stdout=subprocess.PIPE, stderr=told, text=True, env={**os.environ, "LAB_STATE_DIR": str(tmp / "state")},
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def command(tmp: Path) -> str:
    """The line that starts a worker; empty until it is printed."""
    lines = (tmp / "told").read_text().splitlines(keepends=True)
    return next((line.strip() for line in lines if line.startswith("env LAB_") and line.endswith("\n")), "")


@pytest.mark.whole
def test_a_worker_from_the_printed_command_is_used_and_missed_when_it_is_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        run = stack.enter_context(running(tmp_path, "--expect-workers", "1", "--master-bind", "127.0.0.1"))
        until(lambda: command(tmp_path), DEADLINE_S, "the command is printed")
        worker = subprocess.Popen(f"exec {command(tmp_path)}", shell=True, cwd=tmp_path)
        stack.callback(worker.wait, 20)
        stack.callback(worker.kill)
        until(journal_says(tmp_path, '"broken"'), DEADLINE_S, "the steady phase passes: the worker makes the traffic")
        worker.kill()
        told = json.loads(run.communicate(timeout=DEADLINE_S)[0])
    assert run.returncode == 3
    assert "has lost workers: 0 of 1 answer" in json.dumps(told)


def test_workers_that_do_not_come_make_the_run_inconclusive(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--expect-workers", "2", "--worker-wait", "1", tries=1)
    assert ran.code == 3
    assert "the load generator load has 0 of 2 workers, 0 users after 1 s" in json.dumps(ran.outcome)
