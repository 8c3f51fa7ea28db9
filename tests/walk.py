"""The walk of CONTRIBUTING.md: what each of its steps changes in which file, and the doing of it."""

from __future__ import annotations

from pathlib import Path

WALK = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def steps() -> list[tuple[str, str, str]]:
    """What the walk changes: file, old lines, new lines."""
    found, file, old, new = [], "", [], []
    for line in [*WALK.splitlines(), ""]:
        text = line[7:] if line.startswith(" " * 7) else ""
        if new and not text.startswith("+"):
            found.append((file, "\n".join(old), "\n".join(new)))
            old, new = [], []
        if text.startswith("--- "):
            file = text[4:]
        elif text.startswith("-"):
            old.append(text[1:])
        elif text.startswith("+"):
            new.append(text[1:])
    return found


def do(folder: Path, *files: str) -> None:
    """Do the steps of the walk that change these files."""
    mine = [step for step in steps() if step[0] in files]
    assert {step[0] for step in mine} == set(files)
    for file, old, new in mine:
        text = (folder / file).read_text()
        assert text.count(old) == 1, f"{file} has no such lines: {old}"
        (folder / file).write_text(text.replace(old, new))
