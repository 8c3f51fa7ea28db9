"""broken/ beside fixed/: aligned lines, with what differs within a line marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.deployment import FILES
from lab.stored import FIX, Stored

AROUND = 3
"""Lines of context around a change."""
MOST_LINES = 2000
"""Of a file; a longer one is cut there."""
MOST_BYTES = 1 << 20
_WORDS = re.compile(r"\w+|\s+|.")


@dataclass(frozen=True)
class Side:
    """One side of a row: the line's number (None: no such line) and its pieces, each with whether it differs."""

    number: int | None
    pieces: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Row:
    """Two lines beside each other; `kind`: same, changed, or skipped (a fold of unchanged lines)."""

    kind: str
    left: Side
    right: Side


@dataclass(frozen=True)
class FileDiff:
    """One file of the deployments."""

    name: str
    rows: tuple[Row, ...]
    removed: int
    added: int


def diffs(stored: Stored) -> list[FileDiff]:
    """Every file that the deployments hold and in which they differ."""
    broken, fixed = stored.found.place("broken"), stored.found.place("fixed")
    if (stored.run_dir / FIX).is_dir():
        fixed = stored.run_dir / FIX
    names = [name for name in FILES if (broken / name).is_file() or (fixed / name).is_file()]
    found = (file_diff(name, _lines(broken / name), _lines(fixed / name)) for name in names)
    return [diff for diff in found if diff.rows]


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES)
    except OSError:
        return []
    return [line.expandtabs(4) for line in raw.decode("utf-8", "replace").split("\n")][:MOST_LINES]


def file_diff(name: str, before: Sequence[str], after: Sequence[str]) -> FileDiff:
    """The aligned lines of one file; no rows where both are the same."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    rows: list[Row] = []
    removed = added = 0
    if list(before) != list(after):
        for group in matcher.get_grouped_opcodes(AROUND):
            if group[0][1] > 0:
                rows.append(Row("skipped", Side(None), Side(None)))
            for tag, a, b, c, d in group:
                rows += _same(before, a, b, c) if tag == "equal" else _changed(before[a:b], after[c:d], a, c)
                removed, added = (removed + b - a, added + d - c) if tag != "equal" else (removed, added)
    return FileDiff(name, tuple(rows), removed, added)


def _same(before: Sequence[str], a: int, b: int, c: int) -> Iterator[Row]:
    for offset, line in enumerate(before[a:b]):
        pieces = ((line, False),)
        yield Row("same", Side(a + offset + 1, pieces), Side(c + offset + 1, pieces))


def _changed(before: Sequence[str], after: Sequence[str], a: int, c: int) -> Iterator[Row]:
    """Lines side by side as they come; of a pair that is alike, only what differs is marked."""
    for offset in range(max(len(before), len(after))):
        old = before[offset] if offset < len(before) else None
        new = after[offset] if offset < len(after) else None
        left, right = _pieces(old, new) if old is not None and new is not None else (_whole(old), _whole(new))
        yield Row(
            "changed",
            Side(a + offset + 1 if old is not None else None, left),
            Side(c + offset + 1 if new is not None else None, right),
        )


Pieces = tuple[tuple[str, bool], ...]


def _whole(line: str | None) -> Pieces:
    return ((line, False),) if line is not None else ()


def _pieces(old: str, new: str) -> tuple[Pieces, Pieces]:
    words = _WORDS.findall(old), _WORDS.findall(new)
    matcher = difflib.SequenceMatcher(None, *words, autojunk=False)
    if matcher.ratio() < 0.5:
        return _whole(old), _whole(new)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        left.append(("".join(words[0][a:b]), tag != "equal"))
        right.append(("".join(words[1][c:d]), tag != "equal"))
    return tuple(p for p in left if p[0]), tuple(p for p in right if p[0])
