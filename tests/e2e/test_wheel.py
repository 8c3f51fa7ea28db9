"""An installed wheel finds its scenarios from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.beside]


def test_data_lie_under_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "lab/_data/scenarios/cardinality/scenario.py" in names
    assert "lab/_data/compose/prometheus/prometheus.yml" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"lab"}


@pytest.mark.parametrize("command", [["list"], ["show", "cardinality"], ["run", "cardinality", "--dry-run"]])
def test_it_finds_its_scenarios(command: list[str], wheel: Path, tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    done = subprocess.run(
        [sys.executable, "-m", "lab", *command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(site), "LAB_STATE_DIR": str(tmp_path / "state")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cardinality" in done.stdout.lower()


def test_it_is_the_wheel_that_answers(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    ask = "import lab.paths; print(lab.paths.scenarios_dir())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, cwd="/", env=env, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "lab" / "_data" / "scenarios")
