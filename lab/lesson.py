"""A scenario's lesson: its README, and broken/ against fixed/."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from lab.catalog import Found
from lab.errors import ScenarioError


def lesson_text(folder: Path) -> str:
    """The lesson. Raises `ScenarioError` when there is none."""
    path = folder / "README.md"
    if not path.is_file():
        raise ScenarioError(f"{path}: no lesson there; a scenario's lesson is its README.md")
    return path.read_text(encoding="utf-8")


def folded(lesson: str) -> str:
    """The lesson for a terminal, which can fold nothing away: without the answers of its quiz."""
    return re.sub(r"<details>.*?</details>", "(the answer is in the README)", lesson, flags=re.DOTALL)


def variants_text(found: Found) -> str:
    """How its variants are called, where there are several."""
    if len(found.variants) < 2:
        return ""
    said = (f"    lab run {found.scenario.name}:{variant}\n" for variant in found.variants)
    return "\nVariants (`--all-variants` runs all):\n\n" + "".join(said)


def diff_text(found: Found) -> str:
    """A unified diff from broken/ to fixed/ of a variant, file by file."""
    names = sorted({p.name for what in ("broken", "fixed") for p in found.place(what).glob("*.*")})
    return "".join(line for name in names for line in _diff(found, name))


def _diff(found: Found, name: str) -> list[str]:
    def lines(what: str) -> tuple[list[str], str]:
        path = found.place(what) / name
        shown = str(path.relative_to(found.folder))
        return (path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []), shown

    (broken, before), (fixed, after) = lines("broken"), lines("fixed")
    return list(difflib.unified_diff(broken, fixed, before, after))
