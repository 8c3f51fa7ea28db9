"""Which judge an exercise has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.exercises import easy, hard, medium
from lab.exercises.catalog import find
from lab.exercises.points import Judged, Point

JUDGES: dict[str, Callable[[Path], list[Point]]] = {"easy": easy.judge, "medium": medium.judge, "hard": hard.judge}


def judge(name: str, answer: Path) -> Judged:
    """Judge the files in a folder. Raises `UsageError` where there is none, or files are missing."""
    find(name)
    return Judged(name, tuple(JUDGES[name](answer)))
