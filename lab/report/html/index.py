"""`index.html` of several runs in a row: the summary, both matrices, and a link to the report of each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError
from lab.outcome import Outcome
from lab.report.html.page import render
from lab.report.html.report import NAME as REPORT
from lab.report.html.report import shown
from lab.report.matrix import Row, alerts_of, cell
from lab.scenario import Result, Verdict
from lab.stored import Stored, load

NAME = "index.html"
SERIES = "series.json"
"""What a series consists of: its runs' folders, relative to its own, and what was not begun."""


@dataclass(frozen=True)
class Series:
    """Runs in a row. `not_begun`: what there was no time for, and why."""

    runs: tuple[Path, ...]
    not_begun: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Line:
    """A run in the summary. `link` leads to its report; empty, it would lead nowhere. `where`: the report's path."""

    run: Stored
    link: str
    where: str
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Matrix:
    """Alerts by runs; each cell is own, follows, wrong, silent, or empty."""

    id: str
    title: str
    said: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    silent: int


def write_index(folder: Path, series: Series | None = None, to: Path | None = None) -> Path:
    """Make the index, by default in the series' folder; without `series`, of what the folder says.

    Raises `UsageError`, `OSError`.
    """
    if series is None:
        series = read_series(folder)
    else:
        runs = [os.path.relpath(run, folder) for run in series.runs]
        record = {"runs": runs, "not_begun": [list(one) for one in series.not_begun]}
        (folder / SERIES).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    target = to or folder / NAME
    target.write_text(index(target.parent, series), encoding="utf-8")
    return target


def served_index(folder: Path) -> str:
    """The index of a series' folder for who has no files, but a server that is gone in a moment: it has no links."""
    return index(None, read_series(folder))


def read_series(folder: Path) -> Series:
    """What a folder says of its series. Raises `UsageError` where that makes no sense."""
    try:
        record = json.loads((folder / SERIES).read_text(encoding="utf-8"))
        runs = tuple(folder / str(run) for run in record["runs"])
        return Series(runs, tuple((str(name), str(why)) for name, why in record["not_begun"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder / SERIES}: not a series of the lab: {error}") from error


def index(folder: Path | None, series: Series) -> str:
    """The page. `folder`: where it will lie, for the links; without it, paths stand in their place."""
    stored = [load(run) for run in series.runs]
    rows = [Row(run.found.scenario, run.outcome) for run in stored]
    # What was not begun was asked for: without its result the series has none that is good.
    verdicts = [*(row.outcome.verdict.value for row in rows), *[Verdict.INCONCLUSIVE.value] * len(series.not_begun)]
    return render(
        "index.html",
        heading=_heading(len(rows), len(series.not_begun)),
        lines=[_line(run, folder) for run in stored],
        matrices=[
            _matrix("raised", "Raised at a server", "which alert fired under which fault", rows, lambda o: o.raised),
            _matrix(
                "delivered", "Delivered to people", "which alert somebody was told of", rows, lambda o: o.delivered
            ),
        ],
        counts=[(v, verdicts.count(v)) for v in ("pass", "fail", "inconclusive") if v in verdicts],
        worst=next((v for v in ("fail", "inconclusive", "pass") if v in verdicts), "inconclusive"),
        not_begun=series.not_begun,
        versions=dict(stored[0].header.versions) if stored else {},
    )


def _heading(made: int, not_begun: int) -> str:
    said = f"{made} {'run' if made == 1 else 'runs'} in a row"
    return f"{said}, {not_begun} not begun" if not_begun else said


def _line(run: Stored, folder: Path | None) -> Line:
    report = run.run_dir / REPORT
    failed = tuple(f"{r.name}: {r.observed}" for r in run.outcome.judgement.results() if r.result is Result.FAIL)
    return Line(run, os.path.relpath(report, folder) if folder else "", shown(report), failed)


def _matrix(id_: str, title: str, said: str, rows: Sequence[Row], cells: Callable[[Outcome], Sequence[str]]) -> Matrix:
    names, silent = alerts_of(rows, cells)
    lines = tuple((name, tuple(cell(name, row, cells(row.outcome)) for row in rows)) for name in names)
    return Matrix(id_, title, said, lines, silent)
