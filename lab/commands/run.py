"""`lab run` and `lab analyze`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO, cast

import click
from click.core import ParameterSource
from rich.console import Console

from lab.answer import Answer, answer_of, stored_answer
from lab.bill import require_room
from lab.catalog import Found, find
from lab.commands.many import SERIES, refuse_single, run_many, targets, worst
from lab.commands.reports import keep_answer, keep_report, keep_verdict, write_json
from lab.commands.stage import opened, refuse_auto, staged
from lab.commands.web import watched
from lab.errors import LabError, UsageError
from lab.interrupts import answered_once
from lab.journal import read
from lab.judge import judge
from lab.leaving import Leaving
from lab.load_elsewhere import LOOPBACK, WAIT_S, Elsewhere, bind_of
from lab.options import Options
from lab.outcome import Outcome, outcome, to_json
from lab.plan import Plan, make
from lab.report.answer import tell_answer
from lab.report.ci import CiOutputs
from lab.report.lasting import Lasting
from lab.report.terminal import TerminalStory
from lab.story import Story
from lab.sweep import sweep
from lab.text import one_line

PLAIN_WIDTH = 160
"""Columns of the table where there is no terminal."""


def run_command(name: str, given: dict[str, Any]) -> int:
    """Run a scenario; the exit code is the verdict's."""
    console = _console(given["no_color"])
    if not given["dry_run"]:  # which starts nothing, and removes nothing
        sweep()
    refuse_auto(given)
    if name in SERIES or given["all_variants"]:
        return _run_all(name, given, console)
    plan = make(find(name), _options(given))
    ci = _outputs(given)
    answer = answer_of(plan)
    _check_answer(answer, given["solution"])
    story = staged(plan, given, console) or TerminalStory(console, quiet=given["quiet"])
    if given["dry_run"]:  # tells what is lacking with the bill
        return _tell_dry([plan])
    require_room(plan)
    with watched(given["web"], console) as page:
        found = _execute(opened(plan, story), page.beside(story))
        story.end(found)
        keep_verdict(found, console)
        keep_answer(answer, Path(found.run_dir), console)
        tell_answer(console, answer, found, solution=given["solution"])
        page.finish(keep_report(Path(found.run_dir), console))
    ci.add(found)
    if given["json_to"]:
        write_json(to_json(found), given["json_to"])
    if plan.options.keep and (urls := _kept_urls(found)):
        for service, url in urls.items():
            console.print(f"{service:13} {url}", highlight=False)
        console.print("still up; `lab clean` stops it", highlight=False)
    return found.exit_code


def _run_all(name: str, given: dict[str, Any], console: Console) -> int:
    """Several in a row: every scenario of a kind, every variant. All are checked before the first is started."""
    refuse_single(given, name)
    asked = _options(given)
    found = targets(name, all_variants=given["all_variants"])
    options = [_paced(asked, one) if name in SERIES else asked for one in found]
    with ThreadPoolExecutor(2) as pool:  # half of the time is promtool's
        plans = list(pool.map(make, found, options))
    ci = _outputs(given)
    if given["dry_run"]:
        return _tell_dry(plans)
    for plan in plans:
        require_room(plan)
    with watched(given["web"], console) as page, Leaving() as leaving:

        def execute(plan: Plan, story: Story) -> Outcome:
            return _execute(plan, page.beside(story), leaving)

        code = run_many(plans, execute, console, quiet=given["quiet"], json_to=given["json_to"], ci=ci, page=page)
    for error in leaving.errors:
        click.echo(
            f"lab: what a run had started could not be stopped: {one_line(error)}; `lab clean` tries again", err=True
        )
    return worst([code, *(LabError.exit_code for _ in leaving.errors)])


def _paced(options: Options, found: Found) -> Options:
    """Each of a series as fast as it can be played, where nobody says how fast."""
    said = click.get_current_context().get_parameter_source("speed") is not ParameterSource.DEFAULT
    return options if said else replace(options, speed=found.scenario.top_speed)


def _tell_dry(plans: Sequence[Plan]) -> int:
    from lab.report.dry_run import dry_run_text

    click.echo("\n".join(dry_run_text(plan) for plan in plans), nl=False)
    return 0


def _execute(plan: Plan, story: Story, leaving: Leaving | None = None) -> Outcome:
    """Run a plan. A kill ends it as Ctrl-C does, the end of its time as a failure of the infrastructure does."""
    from lab.runner import Run

    with answered_once(plan.options.max_wall_s or 0.0):
        return Run(plan, story, leaving).execute()


def _kept_urls(found: Outcome) -> dict[str, str]:
    from lab.registry import entries

    return next((e.urls for _, e in entries() if e.run_dir == found.run_dir), {})


def _options(given: dict[str, Any]) -> Options:
    return Options(
        runtime=given["runtime"], speed=given["speed"], seed=given["seed"], out=given["out"], keep=given["keep"],
        strict=given["strict"], control=given["control"], fix=given["fix"], detect=given["detect"],
        names=given["names"], users=given["users"],
        prometheus_bin=given["prometheus_bin"], alertmanager_bin=given["alertmanager_bin"],
        max_wall_s=given["max_wall"], workers=given["expect_workers"] or given["workers"], shape=given["shape"],
        elsewhere=_elsewhere(given), scale=given["scale"],
    )  # fmt: skip


def _elsewhere(given: dict[str, Any]) -> Elsewhere | None:
    """Workers elsewhere. Raises `UsageError` for options that contradict each other."""
    count, bind = given["expect_workers"], given["master_bind"]
    if not count:
        if bind:
            raise UsageError("--master-bind: is where workers are awaited; add --expect-workers N")
        if given["worker_wait"] is not None:
            raise UsageError("--worker-wait: is how long workers are awaited; add --expect-workers N")
        return None
    if given["workers"]:
        raise UsageError("--expect-workers: awaits workers that --workers would start here; leave one of the two away")
    if given["control"]:
        raise UsageError("--expect-workers: a control run has two loads, and a master each; leave --control away")
    return Elsewhere(count, *bind_of(bind or LOOPBACK), given["worker_wait"] or WAIT_S)


def _console(no_color: bool) -> Console:
    """The terminal on stderr; in a pipe, lines as wide as the table wants them."""
    width = None if sys.stderr.isatty() else PLAIN_WIDTH
    stream = cast("TextIO", Lasting(sys.stderr))
    return Console(file=stream, no_color=no_color or bool(os.environ.get("NO_COLOR")), width=width)


def _outputs(given: dict[str, Any]) -> CiOutputs:
    """What is written beside the run's folder; refused before the run, not after it: a result would be lost."""
    _check_writable(given["json_to"])
    _check_writable(given["junit"], "--junit")
    return CiOutputs(given["junit"], os.environ, sys.stderr)


def _check_writable(target: Path | str | None, option: str = "--json") -> None:
    """Leaves no file behind where there was none: the run may yet be refused."""
    if target in (None, "-"):
        return
    path = Path(str(target))
    try:
        there = path.exists()
        path.open("a").close()
        if not there:
            path.unlink()
    except OSError as error:
        raise UsageError(f"{option} {target}: {error.strerror or error}; give a file that can be written") from error


def _check_answer(answer: Answer, solution: bool) -> None:
    if solution and not answer.given:
        raise UsageError("--solution: is the way from your answer to ours; there is none: give --fix or --detect")


def analyze_command(run_dir: Path, json_to: str | None, no_color: bool, *, solution: bool = False) -> int:
    """Judge a stored run again; the same verdict, or inconclusive with the reason for a damaged journal."""
    journal = run_dir if run_dir.is_file() else run_dir / "journal.jsonl"
    _check_writable(json_to)
    recording = read(journal)
    if recording.header is None:
        click.echo(f"lab: {journal}: empty; INCONCLUSIVE: nothing was recorded", err=True)
        return 3
    scenario = find(str(journal.parent / "scenario"), recording.header.variant).at(recording.header.scale)
    answer = stored_answer(scenario, journal.parent)
    _check_answer(answer, solution)
    judgement = judge(scenario.scenario, recording.header, recording.history, damaged=recording.damaged)
    found = outcome(recording.header, recording.history, judgement)
    found = replace(found, run_dir=str(journal.parent.resolve()))
    console = _console(no_color)
    TerminalStory(console).end(found)
    tell_answer(console, answer, found, solution=solution)
    if json_to:
        write_json(to_json(found), json_to)
    return found.exit_code
