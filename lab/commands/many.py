"""Several runs in a row: `lab run all`, `--all-variants`. One summary, two matrices, one exit code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from lab.catalog import Found, find, incident_names, names
from lab.commands.reports import keep_index, keep_report, keep_verdict, write_json
from lab.commands.web import NO_PAGE, Page
from lab.errors import OverTime, UsageError
from lab.history import History
from lab.interrupts import ignored, put_off
from lab.judge import judge
from lab.outcome import Outcome, outcome, to_json
from lab.plan import Plan
from lab.report.ci import CiOutputs
from lab.report.matrix import Row, matrix_table, summary_table
from lab.report.terminal import TerminalStory
from lab.scenario import Verdict
from lab.story import Story
from lab.text import clean

ALL = "all"
"""The target that stands for every failure of monitoring that comes with the lab."""
ALL_SERVICE = "all-service"
"""And the one that stands for every incident of the service."""
SERIES = {ALL: names, ALL_SERVICE: incident_names}


def refuse_single(given: dict[str, Any], target: str) -> None:
    """Options that make sense for one run, or for one scenario, only. Raises `UsageError`."""
    if given.get("keep"):
        raise UsageError("--keep: is for one run; name one scenario and one variant")
    for name in ("solution", "stage"):
        if given.get(name):
            raise UsageError(f"--{name}: is for one run; name one scenario and one variant")
    if given.get("expect_workers"):
        raise UsageError("--expect-workers: each run would wait for workers anew; name one scenario and one variant")
    for name in ("fix", "detect"):
        if given.get(name) and target in SERIES:
            raise UsageError(f"--{name}: is for one scenario; name it instead of `{target}`")


def targets(name: str, *, all_variants: bool) -> list[Found]:
    """What a name stands for: every scenario of a kind, every variant of one, or both. Raises `ScenarioError`."""
    found = [find(one) for one in SERIES[name]()] if name in SERIES else [find(name)]
    if not all_variants:
        return found
    if name not in SERIES and ":" in name and found[0].scenario.variant == name.rpartition(":")[2]:
        raise UsageError(f"{name} --all-variants: names one of them; leave one of the two away")
    return [one.of(variant) for one in found for variant in one.variants]


def run_many(
    plans: Sequence[Plan],
    execute: Callable[[Plan, Story], Outcome],
    console: Console,
    *,
    quiet: bool,
    json_to: str | None,
    ci: CiOutputs,
    page: Page = NO_PAGE,
) -> int:
    """Run one after another; what an interrupted one leaves undone is not begun. The worst exit code.

    `--max-wall` is for all of them together: what there is no time for is not begun, and inconclusive.
    """
    rows: list[Row] = []
    left_out: list[Outcome] = []
    codes = []
    try:
        _run_each(plans, execute, console, quiet=quiet, ci=ci, rows=rows, left_out=left_out)
    except KeyboardInterrupt:  # between two runs
        codes.append(130)
    with ignored() as came:  # what is known by now is written, however often somebody interrupts
        _tell(rows, console)
        unmade = [(one.header.label, one.judgement.reason) for one in left_out]
        index = keep_index(plans[0].options.out, [Path(row.outcome.run_dir) for row in rows], unmade, console)
        page.finish(index)
        made = [row.outcome for row in rows]
        if json_to:
            write_json([to_json(one) for one in (*made, *left_out)], json_to)
    codes += [130] if came else []
    return worst([*codes, *(one.exit_code for one in (*made, *left_out))])


def _run_each(
    plans: Sequence[Plan],
    execute: Callable[[Plan, Story], Outcome],
    console: Console,
    *,
    quiet: bool,
    ci: CiOutputs,
    rows: list[Row],
    left_out: list[Outcome],
) -> None:
    """Make the runs; `rows` gets those that were made, `left_out` what is known of those that there was no time for."""
    limit_s = plans[0].options.max_wall_s or math.inf
    end = time.monotonic() + limit_s
    for plan in plans:
        left_s = end - time.monotonic()
        try:
            if left_s <= 0:
                raise OverTime(f"not begun: --max-wall {limit_s:.0f} s are over")
            found = execute(_fresh(plan, left_s), TerminalStory(console, quiet=quiet))
        except OverTime as error:  # also one so early that there is no outcome
            left_out.append(_not_begun(plan, str(error)))
            _tell_not_begun(left_out[-1], ci, console)
            continue
        with put_off():  # a run that is judged is kept whole
            rows.append(Row(plan.scenario, found))
            keep_verdict(found, console)
            ci.add(found)
            keep_report(Path(found.run_dir), console)
        if found.interrupted:
            break


def _not_begun(plan: Plan, why: str) -> Outcome:
    """What is known of a run that was not made: inconclusive, and nothing else."""
    history = History()
    judgement = replace(judge(plan.scenario, plan.header, history), verdict=Verdict.INCONCLUSIVE, reason=why)
    return outcome(plan.header, history, judgement)


def _tell_not_begun(found: Outcome, ci: CiOutputs, console: Console) -> None:
    label, why = found.header.label, found.judgement.reason
    ci.not_begun(label, why)
    console.print(f"[yellow]?[/yellow] {escape(clean(label))}: {why}", highlight=False)


def _fresh(plan: Plan, left_s: float) -> Plan:
    """A plan as it is begun: now, with what is left of the time for all."""
    limit_s = left_s if math.isfinite(left_s) else None
    header, options = replace(plan.header, started_at=time.time()), replace(plan.options, max_wall_s=limit_s)
    return replace(plan, header=header, options=options)


def worst(codes: Iterable[int]) -> int:
    """130 over 1 over 3 over 0: an interrupted series is no result; a failure outweighs a doubt."""
    seen = set(codes)
    return next((code for code in (130, 1, 3) if code in seen), 0)


def _tell(rows: Sequence[Row], console: Console) -> None:
    for row in rows:
        for result in row.outcome.judgement.results():
            if result.result.value == "fail":
                what = escape(clean(f"{row.scenario.label}: {result.name}: {result.observed}"))
                console.print(f"[red]✗[/red] {what}", highlight=False)
    console.print(summary_table(rows))
    console.print(matrix_table("raised at a server", rows, lambda o: o.raised))
    console.print(matrix_table("delivered to the channel", rows, lambda o: o.delivered))
