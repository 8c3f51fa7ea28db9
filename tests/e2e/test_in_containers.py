"""Whole runs in containers (`make containers`): the same scenarios and verdicts, with the kernel's own limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import engine
from lab_run import Ran, run_lab

from lab.catalog import names

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.contained]


@pytest.fixture(autouse=True)
def docker() -> Iterator[Any]:
    found = engine()
    yield found
    left = [c.name for c in found.containers.list(all=True, filters={"label": "lab.run"}, ignore_removed=True)]
    found.close()
    assert left == []


def contained(tmp: Path, *args: str) -> Ran:
    return run_lab(tmp, *args, "--runtime", "docker", "--strict", deadline_s=400)


@pytest.mark.parametrize("name", names())
def test_each_failure_passes(name: str, tmp_path: Path) -> None:
    ran = contained(tmp_path, name)
    assert ran.code == 0, ran.told[-4000:]
    assert ran.outcome["runtime"] == "docker"
    assert ran.outcome["overhead_s"] <= 15
    if name == "label_leak":
        killed = ran.check("rag killed")["observed"]
        assert "killed by the kernel at its memory limit" in killed
        assert "oom" in killed
    if name == "cardinality":
        assert "no space left on device" in json.dumps(ran.outcome)


def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    scenario = Path(__file__).resolve().parents[2] / "scenarios" / "missing_metrics"
    ran = contained(tmp_path, "missing_metrics", "--fix", str(scenario / "broken"))
    assert ran.code == 1
    assert "rag_queries_total back" in ran.failed()
