"""A run that has only so much time, and a fix that crashes, as CI sees them: exit code, JUnit, nothing left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from junitparser import JUnitXml
from lab_run import LAB, run_lab

pytestmark = pytest.mark.e2e
CRASHES = Path(__file__).resolve().parent.parent / "sabotage" / "cardinality" / "crashes"


def test_a_run_that_is_not_over_in_time_is_inconclusive_and_leaves_nothing(tmp_path: Path) -> None:
    state, junit, page = tmp_path / "state", tmp_path / "out.xml", tmp_path / "summary.md"
    command = ["run", "cardinality", "--max-wall", "8", "--junit", str(junit), "--out", str(tmp_path / "runs")]
    env = {**os.environ, "LAB_STATE_DIR": str(state), "GITHUB_STEP_SUMMARY": str(page)}
    done = subprocess.run([*LAB, *command], capture_output=True, text=True, timeout=60, env=env, check=False)
    assert done.returncode == 3, done.stderr[-3000:]
    assert "not over when --max-wall ended it, after 8 s" in done.stderr
    assert JUnitXml.fromfile(str(junit)).errors > 0
    assert "not over when" in page.read_text()
    assert list((tmp_path / "runs").glob("cardinality/*/verdict.json"))
    assert list(state.glob("*.json")) == []


@pytest.mark.sabotage
def test_a_fix_that_crashes_fails_with_its_last_words(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--fix", str(CRASHES), "--junit", str(tmp_path / "out.xml"))
    assert (ran.code, ran.failed()) == (1, ["service survives the fix"]), ran.told[-3000:]
    assert "No module named 'promfetheus'" in ran.outcome["reason"]
    assert JUnitXml.fromfile(str(tmp_path / "out.xml")).failures == 2
