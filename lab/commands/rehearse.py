"""`lab rehearse`. Heavy imports live inside the functions: `lab --help` loads this file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands.run_options import SERVERS, having

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from lab.catalog import Found
    from lab.doctor import Report
    from lab.options import Options
    from lab.plan import Plan
    from lab.rehearsal import Item


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--look", "only_look", is_flag=True, help="look at everything and play nothing: seconds")
@click.option("--runtime", type=click.Choice(["auto", "native", "docker"]), default="auto", envvar="LAB_RUNTIME",
              show_default=True, help="where the servers run")  # fmt: skip
@click.option("--speed", type=float, default=15.0, envvar="LAB_SPEED", show_default=True,
              help="how many times faster than production timings")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, envvar="LAB_SEED", show_default=True,
              help="of traffic and service")  # fmt: skip
@click.option("--users", type=click.IntRange(0, 1000), envvar="LAB_USERS",
              help="simulated users instead of the scenario's")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), envvar="LAB_OUT", show_default=True,
              help="where the runs are kept")  # fmt: skip
@having(SERVERS)
@click.option("--no-color", is_flag=True, help="no colours; NO_COLOR does the same")
def rehearse(names: tuple[str, ...], only_look: bool, no_color: bool, **given: Any) -> int:
    """Before going on stage: look at all that can be missing, then play each scenario once. Green or red.

    NAME: scenarios that will be shown; all five without. Needs no network. What other runs left is removed first;
    stacks that --keep left up as well, but not with --look. Exit codes: 0 all green, 1 a run failed, 3 something is
    missing.
    """
    from lab.catalog import find
    from lab.commands.many import ALL, targets
    from lab.commands.run import _console
    from lab.options import Options
    from lab.sweep import sweep

    founds = [find(name) for name in names] or targets(ALL, all_variants=False)
    options = Options(**given)
    sweep(kept=not only_look)  # not before all that can be refused was
    console = _console(no_color)
    plans, items = _look(founds, options, console)
    if any(not item.green for item in items):
        console.print("[bold red]RED[/bold red]: nothing was started", highlight=False)
        return 3
    codes = [] if only_look else _play(plans, console)
    worst = next((code for code in (130, 1, 3) if code in codes), 0)
    console.print("[bold green]GREEN[/bold green]" if not worst else "[bold red]RED[/bold red]", highlight=False)
    return worst


def _look(founds: Sequence[Found], options: Options, console: Console) -> tuple[list[Plan], list[Item]]:
    """Everything that can be seen without a server."""
    from lab.classroom.client import stack_up
    from lab.plan import make
    from lab.registry import entries
    from lab.rehearsal import Item, kept_up, machine, prepared, shortened, volume

    report = _report(options)
    items = [*machine(report), *volume(report, founds), *kept_up(entry for _, entry in entries())]
    if stack_up() is not None:
        items.append(Item("machine: to itself", False, "a stack is up and makes load; `lab down` stops it"))
    _tell(items, console)
    plans = []
    for found in founds:
        looked, plan = prepared(found, lambda found: make(found, options))
        _tell(shortened(looked, items), console)
        items += looked
        plans += [plan] if plan else []
    return plans, items


def _report(options: Options) -> Report:
    """What of this machine concerns the runs. Where no place can be had, the scenarios say why."""
    from lab.doctor import examine
    from lab.errors import LabError
    from lab.rehearsal import concerning
    from lab.runtime.place import decide

    programs = {"prometheus": options.prometheus_bin, "alertmanager": options.alertmanager_bin}
    report = examine({name: path for name, path in programs.items() if path})
    try:
        place: str = decide(options).name
    except LabError:
        place = options.runtime
    return concerning(report, place)


def _play(plans: Sequence[Plan], console: Console) -> list[int]:
    """Each run once, as on the stage; what one leaves is removed before the next. An exit code for each."""
    import time
    from dataclasses import replace

    from lab.commands.reports import keep_report, keep_verdict
    from lab.commands.run import _execute
    from lab.journal import read
    from lab.rehearsal import left_behind, played
    from lab.story import Story
    from lab.sweep import sweep

    codes = []
    for plan in plans:
        console.print(f"  playing {plan.header.label} ...", highlight=False)
        found = _execute(replace(plan, header=replace(plan.header, started_at=time.time())), Story())
        run_dir = Path(found.run_dir)
        keep_verdict(found, console)
        keep_report(run_dir, console)
        items = [*played(plan, found, read(run_dir / "journal.jsonl").history), left_behind(plan, run_dir)]
        _tell(items, console)
        green = all(item.green for item in items)
        codes.append(0 if green else found.exit_code or 1)
        sweep(kept=True)
        if found.interrupted:
            break
    return codes


def _tell(items: Iterable[Item], console: Console) -> None:
    from rich.markup import escape

    from lab.text import one_line

    for item in items:
        mark = "[green]✓ green[/green]" if item.green else "[bold red]✗ red[/bold red]  "
        why = f": {escape(one_line(item.why))}" if item.why else ""
        console.print(f"{mark} {escape(one_line(item.name))}{why}", highlight=False, soft_wrap=True)
