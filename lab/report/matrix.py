"""Several runs side by side: a summary, and which alert was raised and delivered under which fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.markup import escape
from rich.table import Table

from lab.outcome import Outcome
from lab.scenario import Scenario
from lab.text import clean

VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


@dataclass(frozen=True)
class Row:
    """One run of several."""

    scenario: Scenario
    outcome: Outcome


def summary_table(rows: Sequence[Row]) -> Table:
    """One line a run: verdict, delays, wall time, reason."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column in ("scenario", "verdict", "detect", "recover", "overhead", "wall", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        o, style = row.outcome, VERDICT_STYLES[row.outcome.verdict.value]
        table.add_row(
            row.scenario.label, f"[{style}]{o.verdict.value}[/{style}]", _s(o.delays.time_to_detect_s),
            _s(o.delays.time_to_recover_s), _s(o.overhead_s), _s(o.wall_s), escape(clean(o.judgement.reason)),
        )  # fmt: skip
    return table


def matrix_table(title: str, rows: Sequence[Row], cells: Callable[[Outcome], Sequence[str]]) -> Table:
    """Alerts by scenarios. `own`: the scenario's own; `follows`: a declared consequence; `WRONG`: neither."""
    alerts, silent = alerts_of(rows, cells)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("alert")
    for row in rows:
        table.add_column(row.scenario.label)
    for name in alerts:
        table.add_row(escape(clean(name)), *(_CELLS[cell(name, row, cells(row.outcome))] for row in rows))
    if silent:
        table.caption = f"{silent} further alerts were silent throughout"
    return table


def alerts_of(rows: Sequence[Row], cells: Callable[[Outcome], Sequence[str]]) -> tuple[list[str], int]:
    """The alerts that have a line in the matrix, and how many watched ones were silent throughout."""
    alerts = dict.fromkeys(name for row in rows for name in row.outcome.header.watched_alerts)
    seen = [name for name in alerts if any(name in {*row.scenario.alerts, *cells(row.outcome)} for row in rows)]
    return seen, len(alerts) - len(seen)


def cell(name: str, row: Row, there: Sequence[str]) -> Literal["", "own", "follows", "wrong", "silent"]:
    """What an alert did in a run in which those of `there` were heard; `silent`: it should have been."""
    if name not in there:
        return "silent" if name in row.scenario.alerts and not row.outcome.header.control else ""
    if name in row.outcome.header.own_alerts:
        return "own"
    return "follows" if name in row.scenario.consequences else "wrong"


_CELLS = {
    "": "",
    "own": "[green]own[/green]",
    "follows": "[dim]follows[/dim]",
    "wrong": "[bold red]WRONG[/bold red]",
    "silent": "[bold red]SILENT[/bold red]",
}


def _s(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
