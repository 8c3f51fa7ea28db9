"""Whole live runs of the scenarios beside the main job take minutes each: they are `make scenarios`.

One run of each that ends early, marked `quick`, stays in `make test`: each scenario is seen to fail on real servers.
"""

from __future__ import annotations

from pathlib import Path

import pytest

SCENARIOS = Path(__file__).resolve().parent.parent.parent / "scenarios"
MAIN_JOB = "cardinality"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.path.stem.removeprefix("test_")
        quick = item.get_closest_marker("quick") is not None
        if name != MAIN_JOB and not quick and (SCENARIOS / name / "scenario.py").is_file():
            item.add_marker(pytest.mark.whole)
