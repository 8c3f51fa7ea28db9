"""`lab exercise`: the exercises, their tasks, and the judge of an answer."""

from __future__ import annotations

import json
from pathlib import Path

import click

FIRST_SEED = 1
"""Of the day in a chart where none is given."""


@click.command()
@click.argument("name", required=False)
@click.option("--start", type=click.Path(path_type=Path), metavar="DIR", help="copy the files to begin with into DIR")
@click.option("--answer", type=click.Path(path_type=Path), metavar="DIR", help="judge the files in DIR")
@click.option(
    "--chart",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="with --answer, of a detector: a day with its band and its marks, as SVG",
)
@click.option("--seed", type=click.IntRange(0), help=f"of the day in the chart; {FIRST_SEED} without")
@click.option("--json", "as_json", is_flag=True, help="the points as JSON")
def exercise(
    name: str | None, start: Path | None, answer: Path | None, chart: Path | None, seed: int | None, as_json: bool
) -> int:
    """Exercises: without a NAME all of them, with a NAME the task, with --answer a verdict on each point.

    The code of an answer is run on this machine. Exit codes: 0 all points, 1 a point failed or the detector
    of a chart, 2 bad usage, 3 a point could not be judged here.
    """
    from lab.errors import UsageError
    from lab.exercises import catalog

    if name is None:
        if start or answer or chart or seed is not None or as_json:
            raise UsageError(
                "which exercise? `lab exercise` lists them; options are of one: add its NAME, or leave them away"
            )
        for one in catalog.names():
            click.echo(f"{one:8} {catalog.title(one)}")
        return 0
    catalog.find(name)
    _check(name, answer, chart, seed, as_json)
    if start:
        click.echo(f"{start}: {', '.join(catalog.start(name, start))}", err=True)
    if answer:
        return _judge(name, answer, chart, FIRST_SEED if seed is None else seed, as_json)
    if not start:
        click.echo(catalog.task(name), nl=False)
    return 0


def _check(name: str, answer: Path | None, chart: Path | None, seed: int | None, as_json: bool) -> None:
    """Refuse options that would do nothing, before an answer is judged for minutes."""
    from lab.errors import UsageError
    from lab.exercises.catalog import has_detector

    if chart and not has_detector(name):
        raise UsageError(f"--chart: is of a detector; `{name}` has none; leave it away")
    if chart and not answer:
        raise UsageError("--chart draws what an answer found: give --answer DIR, too")
    if seed is not None and not chart:
        raise UsageError("--seed: is of the day in a chart; add --chart FILE")
    if as_json and not answer:
        raise UsageError("--json: is of the points of an answer; add --answer DIR, or leave it away")


def _judge(name: str, answer: Path, chart: Path | None, seed: int, as_json: bool) -> int:
    from lab.exercises.judge import judge

    judged = judge(name, answer)
    click.echo(json.dumps(judged.to_json(), indent=2) + "\n" if as_json else judged.to_text(), nl=False)
    if chart and not _draw(name, answer, chart, seed):
        return 1
    return judged.exit_code


def _draw(name: str, answer: Path, chart: Path, seed: int) -> bool:
    """Whether the detector lived through the day of the chart, which need not be one of the judged."""
    from lab.errors import UsageError
    from lab.exercises.answers import AnswerError, required
    from lab.exercises.catalog import DETECTOR
    from lab.exercises.chart import svg
    from lab.exercises.detection import readings

    try:
        day = readings(required(answer, DETECTOR), [seed])[0]
        chart.write_text(svg(day, f"{name}: the judged day, seed {seed}"), encoding="utf-8")
    except AnswerError as error:
        click.echo(f"chart: not drawn, seed {seed}: {error}", err=True)
        return False
    except OSError as error:
        raise UsageError(f"--chart {chart}: {error.strerror}; give a file that can be written") from error
    click.echo(f"chart: {chart}", err=True)
    return True
