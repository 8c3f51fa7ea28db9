"""The options of `lab run`, and those of them that `lab up` has too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from lab.commands.numbers import MAX_SECONDS, Finite
from lab.load_elsewhere import WAIT_S
from lab.scale import QUICK, ScaleName
from lab.scenario import DEFAULT_SPEED

F = TypeVar("F", bound=Callable[..., Any])


def path(name: str, help_text: str, **more: Any) -> Callable[[F], F]:
    """An option that is a path."""
    return click.option(name, type=click.Path(path_type=Path), help=help_text, **more)


def having(*options: Sequence[Callable[[Any], Any]]) -> Callable[[F], F]:
    """A command with these options; its help lists them in this order."""

    def decorate(command: F) -> F:
        for option in reversed([one for group in options for one in group]):
            command = option(command)
        return command

    return decorate


STACK = (
    click.option(
        "--runtime",
        type=click.Choice(["auto", "native", "docker"]),
        default="auto",
        envvar="LAB_RUNTIME",
        show_default=True,
        help="where the servers run; auto: in containers when an engine answers and has the images, else natively",
    ),
    click.option(
        "--speed",
        type=float,
        default=DEFAULT_SPEED,
        envvar="LAB_SPEED",
        show_default=True,
        help="how many times faster than production timings; 1: real time. `lab run all` chooses by itself",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=1,
        envvar="LAB_SEED",
        show_default=True,
        help="of traffic and service",
    ),
    click.option(
        "--users",
        type=click.IntRange(0, 1000),
        default=None,
        envvar="LAB_USERS",
        help="simulated users instead of the scenario's",
    ),
)
"""What is started, how fast, and with how much traffic."""

RUN = (
    click.option(
        "--shape",
        type=click.Choice(["steady", "spike", "ramp", "double-halve"]),
        envvar="LAB_SHAPE",
        help="how the number of users goes with time, instead of the scenario's",
    ),
    click.option(
        "--scale",
        type=click.Choice(get_args(ScaleName)),
        default=QUICK,
        envvar="LAB_SCALE",
        show_default=True,
        help="how many series, where the scenario has scales; see the bill first: --dry-run",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0, 16),
        default=0,
        envvar="LAB_WORKERS",
        help="make the traffic with a Locust master and so many workers; one process does it without",
    ),
    click.option(
        "--expect-workers",
        type=click.IntRange(1, 64),
        metavar="N",
        envvar="LAB_EXPECT_WORKERS",
        help="wait for so many workers that you start yourself, here or elsewhere; prints their command",
    ),
    click.option(
        "--master-bind",
        metavar="ADDR[:PORT]",
        envvar="LAB_MASTER_BIND",
        help="where they are awaited, and reach the service; loopback without. Open to whoever reaches it",
    ),
    click.option(
        "--worker-wait",
        type=Finite(0, MAX_SECONDS, min_open=True),
        default=None,
        envvar="LAB_WORKER_WAIT",
        metavar="SECONDS",
        help=f"how long they are awaited, {WAIT_S:g} without; then the run is inconclusive",
    ),
    path(
        "--out", "where runs are kept: OUT/<scenario>/<UTC>/", default=Path("runs"), envvar="LAB_OUT", show_default=True
    ),
    click.option(
        "--json",
        "json_to",
        metavar="FILE|-",
        default=None,
        envvar="LAB_JSON",
        help="the outcome as JSON (`lab schema run`)",
    ),
    path("--junit", "JUnit XML, a test case a check, written after each scenario", envvar="LAB_JUNIT", metavar="FILE"),
    click.option(
        "--max-wall",
        type=Finite(0, MAX_SECONDS, min_open=True),
        default=None,
        envvar="LAB_MAX_WALL",
        metavar="SECONDS",
        help="end after so long, all scenarios together; what is not over by then is inconclusive",
    ),
    click.option("--web", is_flag=True, help="a page on loopback that follows the run, and becomes its report"),
    click.option("--stage", is_flag=True, help="for an audience: stop before each phase, say why, go on at Enter"),
    click.option("--auto", type=click.FloatRange(0), metavar="SECONDS", help="with --stage: go on by itself"),
    click.option("--keep", is_flag=True, help="leave the stack up and print its URLs; `lab clean` stops it"),
    click.option("-q", "--quiet", is_flag=True, help="only the table and the verdict"),
    click.option("--no-color", is_flag=True, help="no colours; NO_COLOR does the same"),
    click.option("--strict", is_flag=True, envvar="LAB_STRICT", help="a skipped check makes the run inconclusive"),
    click.option("--dry-run", is_flag=True, help="services, ports, bounds and the budget of waits; starts nothing"),
    click.option("--all-variants", is_flag=True, help="every variant of NAME, one after another; the worst exit code"),
    click.option("--control", is_flag=True, help="the same run without broken/: everything must stay silent"),
    path("--fix", "a folder with your fix, in place of fixed/"),
    path("--detect", "your own rules file, in place of the detection rules"),
    click.option(
        "--map",
        "names",
        multiple=True,
        metavar="OURS=YOURS",
        help="a metric or job that your answer names otherwise; repeatable",
    ),
    click.option("--solution", is_flag=True, help="after a run of your answer, the diff from it to ours"),
)
"""What is done in one run, and what comes of it."""

SERVERS = (
    path("--prometheus-bin", "the Prometheus to use", envvar="LAB_PROMETHEUS_BIN"),
    path("--alertmanager-bin", "the Alertmanager to use", envvar="LAB_ALERTMANAGER_BIN"),
)
"""Servers in place of those that are found."""
