"""A page of a million series: `lab lint metrics` beside `promtool check metrics`, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rules_stack import binary

pytestmark = [pytest.mark.e2e, pytest.mark.whole]  # a comparison, for a machine with nothing else to do
SERIES = 1_000_000


@dataclass(frozen=True)
class Used:
    """What a command took: seconds on the clock, and KiB of memory at its peak."""

    seconds: float
    memory_kib: int
    code: int


def page() -> Iterator[str]:
    """What an unbounded label looks like: questions as they were asked, every other one with escapes."""
    yield "# HELP rag_queries_total Queries answered.\n# TYPE rag_queries_total counter\n"
    for number in range(0, SERIES, 2):
        user = f'user_id="user-{number % 10_000}"'
        yield f'rag_queries_total{{query_text="How do I restart the host-{number} service?",{user}}} 1.0\n'
        yield f'rag_queries_total{{query_text="What does \\"timeout\\" on host-{number} mean?\\nThanks",{user}}} 1.0\n'


def run(*command: str, stdin: Path) -> Used:
    began = time.monotonic()
    with stdin.open("rb") as given:
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(time.monotonic() - began, usage.ru_maxrss, process.returncode)


def test_a_million_series(tmp_path: Path):
    path = tmp_path / "metrics"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(page())
    theirs = run(str(binary("promtool").path), "check", "metrics", stdin=path)
    ours = run(sys.executable, "-m", "lab", "lint", "metrics", "-", stdin=path)
    path.unlink()
    assert (theirs.code, ours.code) == (0, 1), "promtool finds nothing, the lab says which labels"
    assert ours.seconds < 3 * theirs.seconds
    assert ours.memory_kib < theirs.memory_kib
