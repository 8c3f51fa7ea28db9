"""A scenario's lesson: its README, and broken/ against fixed/."""

from __future__ import annotations

import difflib
from pathlib import Path

from lab.errors import ScenarioError


def lesson_text(folder: Path) -> str:
    """The lesson. Raises `ScenarioError` when there is none."""
    path = folder / "README.md"
    if not path.is_file():
        raise ScenarioError(f"{path}: no lesson there; a scenario's lesson is its README.md")
    return path.read_text(encoding="utf-8")


def diff_text(folder: Path) -> str:
    """A unified diff from broken/ to fixed/, file by file."""
    names = sorted({p.name for what in ("broken", "fixed") for p in (folder / what).glob("*.*")})
    return "".join(line for name in names for line in _diff(folder, name))


def _diff(folder: Path, name: str) -> list[str]:
    def lines(what: str) -> list[str]:
        path = folder / what / name
        return path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []

    return list(difflib.unified_diff(lines("broken"), lines("fixed"), f"broken/{name}", f"fixed/{name}"))
