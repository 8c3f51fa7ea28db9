"""Whole runs in containers (`make containers`): the same scenarios and verdicts, with the kernel's own limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from engine import engine, of_run
from lab_run import Ran, run_lab
from stays import DOWN, Stays, staying
from waiting import until

from lab.catalog import names

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.contained]


@pytest.fixture(autouse=True)
def docker() -> Iterator[Any]:
    found = engine()
    yield found
    ours = {"label": "lab.run"}
    left = [c.name for c in found.containers.list(all=True, filters=ours, ignore_removed=True)]
    left += [thing.name for kind in (found.volumes, found.networks) for thing in kind.list(filters=ours)]
    found.close()
    assert left == []


def contained(tmp: Path, *args: str) -> Ran:
    return run_lab(tmp, *args, "--runtime", "docker", "--strict", deadline_s=400)


@pytest.mark.parametrize("name", names())
def test_each_failure_passes(name: str, tmp_path: Path) -> None:
    ran = contained(tmp_path, name)
    assert ran.code == 0, ran.told[-4000:]
    assert ran.outcome["runtime"] == "docker"
    assert ran.outcome["overhead_s"] < 0.6 * ran.outcome["wall_s"]  # in seconds: docs/figures.md
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


def test_two_at_once_one_in_containers_one_natively(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        runtimes = ("docker", "native")
        folders = {runtime: tmp_path / runtime for runtime in runtimes}
        runs = {
            runtime: pool.submit(run_lab, folder, "missing_metrics", "--runtime", runtime, "--strict", deadline_s=300)
            for runtime, folder in folders.items()
        }
        found = {runtime: run.result() for runtime, run in runs.items()}
    assert {runtime: (ran.code, ran.outcome["runtime"]) for runtime, ran in found.items()} == {
        runtime: (0, runtime) for runtime in runtimes
    }


@pytest.fixture
def stays(tmp_path: Path) -> Iterator[Stays]:
    with staying(tmp_path, "docker") as found:
        yield found


def test_the_stack_stays_up_and_a_fault_goes_in_and_out(stays: Stays, docker: Any) -> None:
    out = stays.up()
    assert {"rag", "prometheus", "observer", "alertmanager"} <= set(
        re.findall(r"^(\w+) +http://127", out, re.MULTILINE)
    )
    assert of_run(docker, stays.run_id)
    calm = stays.status()
    assert (calm["runtime"], calm["fault"], calm["alerts"], calm["silent"]) == ("docker", None, [], [])

    code, out, err = stays.lab("fault", "missing_metrics", "on")
    assert (code, "live is broken/metrics.py" in out) == (0, True), err
    until(lambda: stays.told("firing"), 120, "the alert is delivered")
    assert {"name": DOWN, "state": "firing", "server": "observer"} in stays.status()["alerts"]
    assert stays.lab("fault", "missing_metrics", "fix")[0] == 0
    until(lambda: stays.told("resolved"), 120, "it is resolved")

    assert stays.lab("down")[0] == 0
    stays.gone()
    assert of_run(docker, stays.run_id) == []
