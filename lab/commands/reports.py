"""`lab report` and `lab runs`. Heavy imports live inside the functions: `lab --help` loads this file."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from lab.answer import Answer
    from lab.outcome import Outcome

VERDICT_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="write it there, not into the run's folder")
def report(run: Path, to: Path | None) -> None:
    """Make the HTML report of a stored run again, or the index of several; print where it is.

    RUN is the folder of a run or of a series of runs, or a journal.
    """
    import gc

    from lab.errors import UsageError
    from lab.report.html.index import SERIES, write_index
    from lab.report.html.report import write_report

    gc.disable()  # a journal of a hundred thousand samples is all objects that stay
    try:
        target = write_index(run, to=to) if (run / SERIES).is_file() else write_report(run, to)
    except OSError as error:
        where = f"--to {to}" if to else str(run)
        raise UsageError(f"{where}: {error.strerror or error}; give a file that can be written with --to") from error
    click.echo(_typed(target))


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), envvar="LAB_OUT", show_default=True,
              help="where runs are kept")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def runs(out: Path, as_json: bool) -> None:
    """The runs that are kept, with their verdicts, newest first."""
    from lab.text import one_line

    found = list(listed(out))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo(f"no run in {out}; `lab run NAME` makes one")
    for one in found:
        verdict = click.style(f"{one['verdict']:13}", fg=VERDICT_COLOURS.get(str(one["verdict"])))
        wall = f"{one['wall_s']:.0f} s" if isinstance(one["wall_s"], float | int) else "-"
        click.echo(f"{verdict} {wall:>6}  {one['run_dir']}  {one_line(str(one['reason']))}".rstrip())


UNFINISHED = "unfinished"


def listed(out: Path) -> Sequence[dict[str, object]]:
    """Every folder under `out` with a journal; one without a verdict is still running, or was killed."""
    journals = sorted(out.glob("*/*/journal.jsonl"), key=lambda p: (p.parent.name, p.parent.parent.name), reverse=True)
    return [_described(journal.parent) for journal in journals]


def _described(run_dir: Path) -> dict[str, object]:
    told: dict[str, object] = {}
    try:
        read = json.loads((run_dir / "verdict.json").read_text(encoding="utf-8"))
        told = read if isinstance(read, dict) else {}
    except (OSError, ValueError):
        pass
    names = ("scenario", "variant", "control", "time_to_detect_s", "time_to_recover_s", "wall_s", "started_at")
    page = run_dir / "report.html"
    return {
        "run_dir": str(run_dir), "verdict": told.get("verdict", UNFINISHED),
        "reason": told.get("reason", f"`lab report {run_dir}` shows what there is"),
        **{name: told.get(name) for name in names}, "report": str(page) if page.is_file() else None,
    }  # fmt: skip


def keep_verdict(found: Outcome, console: Console) -> None:
    """The verdict beside the journal. That it could not be written, as on a full disk, is said: it can be made anew."""
    from lab.outcome import to_json
    from lab.stored import VERDICT

    target, text = Path(found.run_dir) / VERDICT, json.dumps(to_json(found), indent=2) + "\n"
    with _telling(target, f"`lab analyze {found.run_dir}` judges the run again", console):
        target.write_text(text, encoding="utf-8")


def keep_answer(answer: Answer, run_dir: Path, console: Console) -> None:
    """The user's own rules beside the journal. That they could not be written is said."""
    with _telling(run_dir, "your rules are not kept there; the verdict stands", console):
        answer.keep(run_dir)


@contextmanager
def _telling(where: Path, remedy: str, console: Console) -> Iterator[None]:
    """A file that can't be written is told of, and no more: there is a result, and it counts."""
    from lab.text import one_line

    try:
        yield
    except OSError as error:
        said = one_line(f"{where}: {error.strerror or error}; {remedy}")
        console.print(said, highlight=False, markup=False, soft_wrap=True)


def write_json(value: object, target: str) -> None:
    """What `--json` asks for; `-` is stdout. Raises `LabError` where it can't be written, as on a disk full by now."""
    from lab.errors import LabError

    text = json.dumps(value, indent=2) + "\n"
    if target == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"--json {target}: {error.strerror or error}; `lab analyze RUN --json FILE` writes it"
        ) from error


def keep_report(run_dir: Path, console: Console) -> Path | None:
    """The report at the end of a run; None where it could not be made."""
    from lab.report.html.report import write_report

    return _keep(lambda: write_report(run_dir), console)


def keep_index(out: Path, runs: Sequence[Path], not_begun: Sequence[tuple[str, str]], console: Console) -> Path | None:
    """The index at the end of several runs, in `OUT/all/<UTC>/`. `not_begun`: names, and why."""
    from lab.plan import make_run_dir
    from lab.report.html.index import Series, write_index

    return _keep(lambda: write_index(make_run_dir(out, "all"), Series(tuple(runs), tuple(not_begun))), console)


def _keep(write: Callable[[], Path], console: Console) -> Path | None:
    """That a page could not be made is said, and is not the result of what it tells of."""
    from lab.text import one_line

    try:
        target = write()
    except Exception as error:  # whatever is wrong with the page, the verdict stands
        said = one_line(f"{type(error).__name__}: {error}")
        console.print(f"the report could not be made: {said}", highlight=False, markup=False, soft_wrap=True)
        return None
    console.print(_typed(target), style="dim", highlight=False, markup=False, soft_wrap=True)
    return target


def _typed(path: Path) -> str:
    """A path as it is typed from here: relative where it lies below."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
