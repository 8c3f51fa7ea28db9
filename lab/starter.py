"""`lab new`: a scenario to begin with. It runs, and fails because nothing is broken yet."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab.catalog import all_names
from lab.errors import UsageError
from lab.paths import scenarios_dir

NAME = "my_scenario"
"""What the starter is called in its own files; the alert is the same in capitals: MyScenario."""
LEGAL = re.compile(r"[a-z][a-z0-9_]{0,39}")


def starter_dir() -> Path:
    """The starter as it comes with the lab: a scenario like any other, but in no list."""
    return scenarios_dir() / "starter" / NAME


def make_starter(folder: Path) -> str:
    """Write a starter scenario into a new or empty folder, named after it; its name. Raises `UsageError`."""
    name = _name(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder}: is there and not empty; give a new folder")
        shutil.copytree(starter_dir(), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            path.write_text(_named(path.read_text(encoding="utf-8"), name, folder), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}; give a folder that can be written") from error
    return name


def _name(folder: Path) -> str:
    """The scenario's name from the folder's: `my-scenario` is my_scenario."""
    name = folder.resolve().name.replace("-", "_")
    if not LEGAL.fullmatch(name):
        raise UsageError(f"{folder}: no name of a scenario; small letters, digits and _ or -, such as {NAME}")
    if name in all_names():
        raise UsageError(f"{folder}: {name} comes with the lab; take another name")
    return name


def _named(text: str, name: str, folder: Path) -> str:
    """The text with the new name in place of the starter's."""
    new = {
        f"./{NAME}": str(folder) if folder.is_absolute() else f"./{folder}",
        NAME: name,
        _spelled(NAME, ""): _spelled(name, ""),
        _spelled(NAME, " ").capitalize(): _spelled(name, " ").capitalize(),
    }
    return re.sub("|".join(map(re.escape, new)), lambda found: new[found[0]], text)


def _spelled(name: str, between: str) -> str:
    """The name as alerts are called: MyScenario."""
    return between.join(word.capitalize() for word in name.split("_"))
