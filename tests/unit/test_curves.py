"""The growth curves of the docs: drawn from the committed measurements, all sizes measured."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATH = Path(__file__).resolve().parents[1] / "curves.py"


@pytest.fixture(scope="module")
def curves() -> ModuleType:
    spec = importlib.util.spec_from_file_location("curves", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["curves"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def known(curves: ModuleType) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(curves.MEASURED.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["series", "users"])
def test_pictures_are_drawn_from_the_committed_measurements(
    curves: ModuleType, known: dict[str, list[dict[str, Any]]], name: str
) -> None:
    picture = curves.PICTURES / f"curves-{name}.svg"
    assert picture.read_text(encoding="utf-8") == curves.svg(name, curves.CHARTS[name], known[name]), "make curves"


@pytest.mark.parametrize(("name", "sizes"), [("series", (10_000, 100_000, 1_000_000)), ("users", (10, 100, 1000))])
def test_every_size_is_measured(known: dict[str, list[dict[str, Any]]], name: str, sizes: tuple[int, ...]) -> None:
    found = [row["at"] for row in known[name]]
    assert len(found) == len(sizes)
    assert all(0.9 < at / size < 1.25 for at, size in zip(found, sizes, strict=True)), found


def test_a_taller_value_stands_higher_and_what_is_not_measured_is_left_out(curves: ModuleType) -> None:
    panel = curves.Panel("x", "a title", "{:.0f}")
    drawn = curves.svg(
        "series", [panel], [{"at": 1000, "x": 1.0}, {"at": 10_000, "x": 4.0}, {"at": 100_000, "x": None}]
    )
    heights = [float(part.split('"')[1]) for part in drawn.split(" cy=")[1:]]
    assert len(heights) == 2
    assert heights[1] == curves.TOP < heights[0]
    assert ">10k<" in drawn


def test_what_is_measured_again_replaces_what_was(curves: ModuleType) -> None:
    known: dict[str, list[dict[str, Any]]] = {"series": [{"at": 1e6, "x": 1}, {"at": 1e4, "x": 1}]}
    curves._put(known, "series", {"at": 1.1e6, "x": 2})
    assert known["series"] == [{"at": 1e4, "x": 1}, {"at": 1.1e6, "x": 2}]


def test_a_run_that_did_not_pass_is_no_measurement(curves: ModuleType) -> None:
    with pytest.raises(AssertionError, match="inconclusive: busy"):
        curves._from_run({"verdict": "inconclusive", "reason": "busy"})
