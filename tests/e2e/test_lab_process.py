"""What the lab itself takes while it waits for a run: it must not be what the run measures."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from lab_run import LAB, journal_says
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.whole]
CORE_SHARE = 0.05
MEMORY_BYTES = 150e6
DEADLINE_S = 240.0


@dataclass(frozen=True)
class Taken:
    """By the lab's own process, without its children."""

    cpu_s: float
    wall_s: float
    rss_bytes: int


def taken(tmp: Path) -> Taken:
    """From the services being up to the last phase: imports, starting and reporting are no waiting."""
    command = [*LAB, "run", "cardinality", "--runtime", "native", "--quiet", "--out", str(tmp / "runs")]
    with (tmp / "told").open("w") as told:
        env = {**os.environ, "LAB_STATE_DIR": str(tmp / "state")}
        run = subprocess.Popen(command, stdout=told, stderr=told, env=env)
    try:
        process = psutil.Process(run.pid)
        until(journal_says(tmp, '"steady"'), DEADLINE_S, "the services are up")
        before, begun = process.cpu_times(), time.monotonic()
        resident = [process.memory_info().rss]
        fixed, over = journal_says(tmp, '"fixed"'), journal_says(tmp, '"run_ended"')

        def past() -> bool:
            resident.append(process.memory_info().rss)
            return fixed() or over()

        until(past, DEADLINE_S, "the waiting phases are over", every_s=1.0)
        after = process.cpu_times()
        wall_s = time.monotonic() - begun
        assert fixed(), (tmp / "told").read_text()
        return Taken(after.user + after.system - before.user - before.system, wall_s, max(resident))
    finally:
        run.terminate()
        run.wait(60)


def test_it_takes_a_twentieth_of_a_core_and_little_memory(tmp_path: Path) -> None:
    found = taken(tmp_path)
    print(f"{found.cpu_s / found.wall_s:.1%} of a core over {found.wall_s:.0f} s, {found.rss_bytes / 1e6:.0f} MB")  # noqa: T201
    assert found.wall_s > 20
    assert found.cpu_s < CORE_SHARE * found.wall_s
    assert found.rss_bytes < MEMORY_BYTES
