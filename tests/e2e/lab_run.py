"""Run the lab as a user does, as a child process, and read what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.interrupts import POLITE

LAB = (sys.executable, "-m", "lab")


@dataclass(frozen=True)
class Ran:
    """A finished run: exit code, the outcome as JSON, what it told on stderr."""

    code: int
    outcome: dict[str, Any]
    told: str

    def check(self, name: str, phase: str = "") -> dict[str, Any]:
        """A check of the outcome by its name."""
        found = [
            check
            for p in self.outcome["phases"]
            for check in p["checks"]
            if check["name"] == name and phase in ("", p["name"])
        ]
        assert found, f"no check {name!r} in {self.outcome['phases']}"
        return found[0]

    def failed(self) -> list[str]:
        """Names of the checks that failed."""
        return [c["name"] for p in self.outcome["phases"] for c in p["checks"] if c["result"] == "fail"]


TRIES = 3
"""A run that could not be measured (exit 3, a busy machine) is repeated; a pass or a failure never is."""


def run_lab(tmp: Path, *args: str, deadline_s: float = 240.0, tries: int = TRIES) -> Ran:
    """`lab run ARGS --out TMP --json -`; fails the test when it takes longer than the deadline.

    With `tries=1` an inconclusive run is what the test is about, and is not repeated.
    """
    ran = _run_once(tmp, *args, deadline_s=deadline_s)
    for _ in range(tries - 1):
        if ran.code != 3:
            break
        ran = _run_once(tmp, *args, deadline_s=deadline_s)
    return ran


def _run_once(tmp: Path, *args: str, deadline_s: float) -> Ran:
    done = subprocess.run(
        [*LAB, "run", *args, "--out", str(tmp / "runs"), "--json", "-"],
        capture_output=True,
        text=True,
        timeout=deadline_s,
        env={**os.environ, "LAB_STATE_DIR": str(tmp / "state")},
        check=False,
    )
    assert done.stdout, f"no JSON, exit {done.returncode}: {done.stderr[-2000:]}"
    return Ran(done.returncode, json.loads(done.stdout), done.stderr)


def hears_ctrl_c() -> None:
    """For a child: signals as a terminal has them. A suite in the background, or under nohup, inherits them ignored."""
    for number in POLITE:
        signal.signal(number, signal.SIG_DFL)


def journal_says(tmp: Path, text: str) -> Callable[[], bool]:
    """A condition: the journal of the only run in `tmp` holds a text."""

    def says() -> bool:
        return any(text in path.read_text(errors="replace") for path in (tmp / "runs").glob("*/*/journal.jsonl"))

    return says


def of_run(run_id: str) -> list[int]:
    """Pids of processes that carry a run's id in their environment."""
    wanted = f"LAB_RUN_ID={run_id}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
