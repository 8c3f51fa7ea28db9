"""`lab bench`: repeat, measure, compare. Heavy imports live inside the functions: `lab --help` loads this file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands.numbers import MAX_SECONDS, Finite
from lab.commands.typed import is_typed

if TYPE_CHECKING:
    from rich.console import Console

    from lab.bench.compare import Comparison
    from lab.bench.results import Benchmark
    from lab.bench.runs import Series
    from lab.catalog import Found
    from lab.options import Options
    from lab.outcome import Outcome
    from lab.plan import Plan

MAX_RUNS = 100
FILE = click.Path(path_type=Path, dir_okay=False)
WITHOUT_RUNS = ("saved", "compare", "tolerance", "no_color")
"""Options that mean something where figures are taken from a file."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--runs", type=click.IntRange(1, MAX_RUNS), default=10, show_default=True, help="of each, seeds 1 to N")
@click.option("--save", type=FILE, help="write the figures to a new file, after each run: a baseline")
@click.option("--resume", is_flag=True, help="go on with what --save has already")
@click.option("--saved", type=FILE, help="figures of an earlier --save, in place of new runs")
@click.option("--compare", type=FILE, help="a baseline: an earlier --save; exit 1 when something is worse")
@click.option("--tolerance", type=Finite(0, 1000), default=10, show_default=True, metavar="PERCENT",
              help="changes of a median below this are none")  # fmt: skip
@click.option("--runtime", type=click.Choice(["auto", "native", "docker"]), default="auto", envvar="LAB_RUNTIME",
              show_default=True, help="as of `lab run`")  # fmt: skip
@click.option("--speed", type=float, default=15, envvar="LAB_SPEED", show_default=True,
              help="as of `lab run`")  # fmt: skip
@click.option("--users", type=click.IntRange(1, 1000), envvar="LAB_USERS", help="as of `lab run`")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), envvar="LAB_OUT", show_default=True,
              help="where the runs are kept")  # fmt: skip
@click.option("--max-wall", type=Finite(0, MAX_SECONDS, min_open=True), envvar="LAB_MAX_WALL", metavar="SECONDS",
              help="end after so long, all runs together; exit code 3, --resume goes on")  # fmt: skip
@click.option("--prometheus-bin", type=click.Path(path_type=Path), envvar="LAB_PROMETHEUS_BIN",
              help="the Prometheus to use")  # fmt: skip
@click.option("--alertmanager-bin", type=click.Path(path_type=Path), envvar="LAB_ALERTMANAGER_BIN",
              help="the Alertmanager to use")  # fmt: skip
@click.option("--no-color", is_flag=True, help="no colours; NO_COLOR does the same")
def bench(names: tuple[str, ...], **given: Any) -> int:
    """Repeat runs with other seeds; median, spread and interval of each figure, compared with a baseline.

    NAME as of `lab run`; without one, all monitoring scenarios. The table goes to stdout, as Markdown. Inconclusive
    runs are repeated, one in four; runs that fail are not measured, and make the exit code 1.
    """
    return bench_command(names, given)


def bench_command(names: tuple[str, ...], given: dict[str, Any]) -> int:
    """Everything that can be refused is refused before the first run. The worst exit code."""
    from lab.bench.results import load
    from lab.commands.many import worst
    from lab.errors import UsageError

    if given["saved"] and (given["save"] or given["resume"]):
        raise UsageError("--saved: takes figures from a file in place of runs; leave --save and --resume away")
    if given["resume"] and not given["save"]:
        raise UsageError("--resume: goes on with the file of --save; give both")
    _refuse_unused(given)
    baseline = load(given["compare"]) if given["compare"] else None
    codes: tuple[int, ...]
    if given["saved"]:
        found, codes, asked = _named(load(given["saved"]), names), (0,), names
    else:
        found, codes, asked = _measure(names, given, baseline)
    if 130 in codes:
        return 130
    if baseline is None:
        return worst([*codes, _show(found)])
    from lab.bench.compare import compare, require_comparable

    if given["saved"]:
        require_comparable(baseline, found, found.labels)
    return worst([*codes, _show_comparison(compare(baseline, found, given["tolerance"] / 100, asked))])


def _refuse_unused(given: dict[str, Any]) -> None:
    """What was typed and would be passed over."""
    from lab.errors import UsageError

    unused = [name for name in given if name not in WITHOUT_RUNS and is_typed(name)]
    if given["saved"] and unused:
        raise UsageError(f"--{unused[0].replace('_', '-')}: is for runs; --saved makes none; leave it away")
    if is_typed("tolerance") and not given["compare"]:
        raise UsageError("--tolerance: is of a comparison; add --compare FILE, or leave it away")


def _named(found: Benchmark, names: tuple[str, ...]) -> Benchmark:
    """The scenarios of a file that are named. Raises `UsageError` for one that it does not have."""
    from lab.errors import UsageError

    for name in names:
        if name not in found.runs:
            raise UsageError(f"{name}: not in the file of --saved; it has {', '.join(found.runs) or 'nothing'}")
    return found.only(names)


def _show(found: Benchmark) -> int:
    """The table of what was measured; 3 where nothing was."""
    from lab.bench.markdown import measured_table

    click.echo(measured_table(found), nl=False)
    return 0 if found.measured() else 3


def _show_comparison(found: Comparison) -> int:
    from lab.bench.markdown import comparison_text
    from lab.text import one_line

    click.echo(comparison_text(found), nl=False)
    for text in (*found.warnings, *found.doubts):  # of files that may be anybody's
        click.echo(f"lab: {one_line(text)}", err=True)
    return found.exit_code


def _measure(
    names: tuple[str, ...], given: dict[str, Any], baseline: Benchmark | None
) -> tuple[Benchmark, tuple[int, ...], tuple[str, ...]]:
    """What was measured, the exit codes, and the scenarios that were named."""
    from lab.bench.compare import require_comparable
    from lab.bench.results import save
    from lab.bench.runs import Limit, measure
    from lab.commands.many import ALL, targets
    from lab.commands.run import _console
    from lab.errors import LabError
    from lab.plan import make
    from lab.sweep import sweep

    sweep()
    wanted = _one_each([one for name in names or (ALL,) for one in targets(name, all_variants=False)])
    plans = [make(one, _options(given)) for one in wanted]
    begun = _begun(plans, given)
    if baseline is not None:
        require_comparable(baseline, begun, [plan.scenario.label for plan in plans])
    if given["save"]:
        save(begun, given["save"])
    console = _console(given["no_color"])
    console.print(f"runs of each: {given['runs']}; {', '.join(plan.scenario.label for plan in plans)}", highlight=False)

    unsaved: list[str] = []

    def told(label: str, seed: int, outcome: Outcome, so_far: Benchmark) -> None:
        _tell(console, label, seed, outcome)
        unsaved[:] = _unsaved(so_far, given["save"])

    limit = Limit.after(given["max_wall"])
    made = measure(plans, given["runs"], begun, lambda plan: _execute(plan, console, limit.left_s), told, limit)
    _tell_unmade(made, len(plans) * given["runs"], given)
    labels = tuple(plan.scenario.label for plan in plans)
    codes = (*made.codes, LabError.exit_code) if unsaved else made.codes
    return made.found.only(labels), codes, labels if names else ()


def _unsaved(found: Benchmark, path: Path | None) -> list[str]:
    """Keep what is measured by now; why it could not be, as on a disk full by now: the next run tries again."""
    from lab.bench.results import save
    from lab.errors import UsageError

    try:
        if path:
            save(found, path)
    except UsageError as error:
        click.echo(f"lab: --save {error}", err=True)
        return [str(error)]
    return []


def _one_each(wanted: list[Found]) -> list[Found]:
    """Each scenario once. Raises `UsageError` for two that are called the same: figures go by name."""
    from lab.errors import UsageError

    found: dict[str, Found] = {}
    for one in wanted:
        other = found.setdefault(one.scenario.label, one)
        if other.folder != one.folder:
            raise UsageError(
                f"{one.folder}: is called {one.scenario.label}, as {other.folder} is; give its SCENARIO another name"
            )
    return list(found.values())


def _tell_unmade(made: Series, wanted: int, given: dict[str, Any]) -> None:
    if not made.unmade:
        return
    remedy = "add --resume to go on" if given["save"] else "give more, or --save FILE, with which --resume goes on"
    click.echo(
        f"lab: --max-wall: {given['max_wall']:g} s are over, {made.unmade} of {wanted} runs were ended or not begun; "
        f"{remedy}",
        err=True,
    )


def _options(given: dict[str, Any]) -> Options:
    from lab.options import Options

    return Options(
        runtime=given["runtime"], speed=given["speed"], out=given["out"], users=given["users"],
        prometheus_bin=given["prometheus_bin"], alertmanager_bin=given["alertmanager_bin"],
    )  # fmt: skip


def _begun(plans: list[Plan], given: dict[str, Any]) -> Benchmark:
    """An empty benchmark of this machine, or what `--save` has already. Raises `UsageError` where it can't go on."""
    from lab.bench.machine import this_machine, this_software
    from lab.bench.results import Benchmark, Settings, load
    from lab.errors import UsageError

    header, path = plans[0].header, given["save"]
    fresh = Benchmark(
        this_machine(), {**header.versions, **this_software()}, Settings(header.runtime, header.speed, given["users"])
    )
    if not path or not os.path.exists(path):  # noqa: PTH110  (Path.exists() raises for a name that is too long)
        return fresh
    if not given["resume"]:  # a baseline took an hour to make
        raise UsageError(f"--save {path}: is there already; give a new file, remove it, or go on with it (--resume)")
    found = load(path)
    if differs := found.differences(fresh):
        raise UsageError(f"{path}: is of other runs ({'; '.join(differs)}); give --save a new file")
    return found


def _execute(plan: Plan, console: Console, left_s: float) -> Outcome:
    import math
    import time
    from dataclasses import replace

    from lab.commands.reports import keep_verdict
    from lab.commands.run import _execute as execute
    from lab.report.terminal import TerminalStory

    options = replace(plan.options, max_wall_s=left_s if math.isfinite(left_s) else None)
    fresh = replace(plan, header=replace(plan.header, started_at=time.time()), options=options)
    found = execute(fresh, TerminalStory(console, quiet=True))
    keep_verdict(found, console)
    return found


def _tell(console: Console, label: str, seed: int, found: Outcome) -> None:
    from rich.markup import escape

    from lab.report.matrix import VERDICT_STYLES
    from lab.text import clean

    style = VERDICT_STYLES[found.verdict.value]
    why = f": {escape(clean(found.judgement.reason))}" if found.judgement.reason else ""
    console.print(
        f"{label} seed {seed}: [{style}]{found.verdict.value}[/{style}]{why}, {found.wall_s:.0f} s", highlight=False
    )
