"""Whole live runs of the scenarios beside the main job take minutes each: they are `make scenarios`.

One run of each that ends early, marked `quick`, stays in `make test`: each scenario is seen to fail on real servers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from stays import Stays, staying

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "scenarios"
MAIN_JOB = "cardinality"
LONG = ("test_rules_live", "test_dashboards")
"""Files of one long wait each: begun last, they would be waited for alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)
    for item in items:
        name = item.path.stem.removeprefix("test_")
        quick = item.get_closest_marker("quick") is not None
        if name != MAIN_JOB and not quick and (SCENARIOS / name / "scenario.py").is_file():
            item.add_marker(pytest.mark.whole)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab as it would be published."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=280)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The machine's own Chromium, one for a file of tests."""
    with chromium() as found:
        yield found


@pytest.fixture
def stays(tmp_path: Path) -> Iterator[Stays]:
    """A stack that `lab up` brings up natively."""
    with staying(tmp_path) as found:
        yield found
