"""The exercises that come with the lab, by the name of their folder."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from lab.catalog import ALIKE
from lab.errors import UsageError
from lab.paths import scenarios_dir

ORDER = ("easy", "medium", "hard")
DETECTOR = "detector.py"
"""The file of a detector in an answer; what it found can be drawn."""


def folder() -> Path:
    """Where they are; no scenario is in it."""
    return scenarios_dir() / "exercises"


def names() -> tuple[str, ...]:
    """Those that are there, the easiest first."""
    return tuple(name for name in ORDER if (folder() / name / "README.md").is_file())


def find(name: str) -> Path:
    """The folder of an exercise. Raises `UsageError` with the nearest name."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1, ALIKE)
        raise UsageError(f"{name}: no such exercise; {f'did you mean {near[0]}?' if near else ', '.join(names())}")
    return folder() / name


def has_detector(name: str) -> bool:
    """Whether an answer has a day that can be drawn. Raises `UsageError`."""
    return (find(name) / "starter" / DETECTOR).is_file()


def task(name: str) -> str:
    """What to do, as Markdown."""
    return (find(name) / "README.md").read_text(encoding="utf-8")


def title(name: str) -> str:
    """The first line of the task."""
    return task(name).partition("\n")[0].removeprefix("# ")


def _why(error: OSError) -> str:
    """In words; of several files that could not be copied the first."""
    several = error.args[0] if isinstance(error, shutil.Error) and error.args else None
    return str(several[0][2] if isinstance(several, list) and several else error.strerror or error)


def start(name: str, into: Path) -> tuple[str, ...]:
    """Copy the starter; the names of its files. Raises `UsageError` where something is already there."""
    source = find(name) / "starter"
    try:
        if into.exists() and (not into.is_dir() or any(into.iterdir())):
            raise UsageError(f"{into}: there is something already; give a new folder")
        shutil.copytree(source, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise UsageError(f"{into}: {_why(error)}; give a folder that can be written") from error
    return tuple(sorted(path.name for path in source.iterdir() if path.is_file()))
