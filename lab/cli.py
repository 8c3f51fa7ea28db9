"""The commands. Heavy imports live inside the commands: `lab --help` answers at once."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, TextIO, cast

import click

from lab import __version__
from lab.commands import stays_up
from lab.commands.advise import advise
from lab.commands.bench import bench
from lab.commands.defaults import defaults, name_source
from lab.commands.exercise import exercise
from lab.commands.new import new
from lab.commands.rehearse import rehearse
from lab.commands.reports import report, runs
from lab.commands.run_options import RUN, SERVERS, STACK, having
from lab.errors import LabError
from lab.interrupts import interrupting
from lab.report.lasting import Output
from lab.text import one_line


def run_cli(argv: Sequence[str]) -> int:
    """Run a command line; the exit code. Errors are one line on stderr."""
    with interrupting(), _lasting_output():
        return _run_cli(argv)


def _lasting_output() -> AbstractContextManager[object]:
    """A reader that ends, such as `head`, is no error; click would exit with 1, which says that a check failed."""
    return redirect_stdout(cast("TextIO", Output(sys.stdout))) if sys.stdout is not None else nullcontext()


def _run_cli(argv: Sequence[str]) -> int:
    try:
        code = lab.main(list(argv), prog_name="lab", standalone_mode=False, default_map=defaults(lab.commands))
    except click.ClickException as error:
        if isinstance(error, click.BadParameter):
            name_source(error)
        error.show()
        return 2
    except LabError as error:
        click.echo(f"lab: {one_line(str(error))}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("lab: interrupted", err=True)
        return 130
    except Exception as error:  # Python would exit with 1, which says that a check failed
        if isinstance(error, OSError) and error.errno == errno.EIO:
            return 130  # the terminal was closed: nobody reads what is said of it
        traceback.print_exc()
        click.echo("lab: this is an error of the lab itself; please report it with the lines above", err=True)
        return 3
    return code if isinstance(code, int) else 0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lab")
def lab() -> None:
    """Break a real monitoring stack on purpose, prove that it is seen, fix it, and prove that the fix works.

    Exit codes: 0 pass, 1 a check failed, 2 bad usage or input, 3 inconclusive or infrastructure, 130 interrupted.
    """


@lab.command("list")
def list_() -> None:
    """The scenarios that come with the lab: the failures of monitoring, then the incidents of the service."""
    from lab.catalog import find, incident_names, names

    for title, known in (("Failures of monitoring (lab run all):", names()),
                         ("Incidents of the service (lab run all-service):", incident_names())):  # fmt: skip
        click.echo(title)
        for name in known:
            found = find(name)
            click.echo(f"  {name:18} {found.scenario.title}")
            if len(found.variants) > 1:
                click.echo(f"  {'':18} variants: {', '.join(found.variants)}")


@lab.command()
@click.argument("name")
@click.option("--diff", is_flag=True, help="broken/ against fixed/ instead of the lesson")
def show(name: str, diff: bool) -> None:
    """The lesson of a scenario; with --diff, what is broken beside what is fixed, of NAME:VARIANT too."""
    from lab.catalog import find
    from lab.lesson import diff_text, folded, lesson_text, variants_text

    found = find(name)
    click.echo(diff_text(found) if diff else folded(lesson_text(found.folder)) + variants_text(found), nl=False)


@lab.command()
@click.argument("name")
@having(STACK, RUN, SERVERS)
def run(name: str, **given: Any) -> int:
    """Run a scenario: break it, see it, fix it, prove it.

    NAME is a name (`lab list`), NAME:VARIANT, the path of a scenario's folder, `all`, or `all-service`.
    """
    from lab.commands.run import run_command

    return run_command(name, given)


@lab.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--json", "json_to", metavar="FILE|-", default=None, help="the outcome as JSON")
@click.option("--no-color", is_flag=True, help="no colours; NO_COLOR does the same")
@click.option("--solution", is_flag=True, help="of a run of your answer (--fix, --detect), the diff from it to ours")
def analyze(run_dir: Path, json_to: str | None, no_color: bool, solution: bool) -> int:
    """Judge a stored run again, from its journal, without servers."""
    from lab.commands.run import analyze_command

    return analyze_command(run_dir, json_to, no_color, solution=solution)


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def doctor(as_json: bool) -> int:
    """What this machine has, what is missing, and the remedy for each."""
    from lab.commands.machine import doctor_command

    return doctor_command(as_json)


@lab.command()
@click.option("--dry-run", is_flag=True, help="say what would be done; fetch nothing")
@click.option("--images", is_flag=True, help="fetch the images of the containers instead")
def install(dry_run: bool, images: bool) -> None:
    """Get Prometheus and Alertmanager into the user's cache, without root; or the images of the containers."""
    if images:
        from lab.commands.images import fetch_images, list_command

        if dry_run:
            list_command(as_json=False)
            return
        fetch_images()
        return
    from lab.commands.machine import install_command

    install_command(dry_run)


@lab.group()
def images() -> None:
    """Images of the containers: which are used and why; make them where no registry can be reached."""


@images.command("list")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def images_list(as_json: bool) -> int:
    """Which image each service gets, and why."""
    from lab.commands.images import list_command

    return list_command(as_json)


@images.command("env")
def images_env() -> None:
    """Variables that let compose.yaml use the images that are there: `eval "$(lab images env)"`."""
    from lab.commands.images import env_command

    env_command()


@images.command("build")
@click.option("--base", default=None, help="the image to build on; it needs Python 3.11 or later with venv, and wget")
def images_build(base: str | None) -> None:
    """Make the images here: the lab's own, and the servers' from packages that `lab install` has unpacked."""
    from lab.commands.images import build_command

    build_command(base)


@lab.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="a running service")
@click.option("--redis-url", default="", help="ask the Redis that keeps the costs instead")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def costs(url: str, redis_url: str, as_json: bool) -> int:
    """What the service's queries have cost, by hour, day and model, and where that leads."""
    from lab.rag.costs_cli import show_costs

    return show_costs(url, redis_url, as_json=as_json)


@lab.group()
def lint() -> None:
    """Look at a service's metrics before they hurt. Exit codes: 0 fine, 1 an error was found, 2 bad input."""


@lint.command("metrics")
@click.argument("target", metavar="URL|FILE")
@click.option("--require", multiple=True, metavar="NAME", help="a metric that must be there; may be given again")
@click.option("--interval", type=float, default=0.0, metavar="SECONDS", help="scrape a URL twice, to see what grows")
@click.option("--timeout", type=float, default=30.0, show_default=True, help="seconds for a scrape")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def lint_metrics(target: str, require: tuple[str, ...], interval: float, timeout: float, as_json: bool) -> int:
    """Labels with too many values, or with values that look like ids, moments or text; FILE may be gzip, or -."""
    from lab.commands.lint import metrics_command

    return metrics_command(target, require, interval, timeout, as_json=as_json)


@lint.command("smoke")
@click.argument("url")
@click.option("--require", multiple=True, metavar="NAME", help="a metric that must have samples; may be given again")
@click.option("--timeout", type=float, default=10.0, show_default=True, help="seconds for the whole page")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="try again for so long, while it starts")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def lint_smoke(url: str, require: tuple[str, ...], timeout: float, wait: float, as_json: bool) -> int:
    """For the end of a deployment: the metrics page comes in time, is one, and has what is required."""
    from lab.commands.lint import smoke_command

    return smoke_command(url, require, timeout, wait, as_json=as_json)


@lab.command()
def clean() -> None:
    """Stop and remove what runs left behind: dead ones, and stacks that --keep left up."""
    from lab.commands.machine import clean_command

    clean_command()


@lab.command()
@click.argument("what", type=click.Choice(["run", "bench"]))
def schema(what: str) -> None:
    """The JSON schema of an output."""
    from importlib.resources import files

    click.echo(files("lab.report").joinpath(f"{what}.schema.json").read_text(encoding="utf-8"), nl=False)


lab.add_command(advise)
lab.add_command(bench)
lab.add_command(exercise)
lab.add_command(new)
lab.add_command(rehearse)
lab.add_command(report)
lab.add_command(runs)

for command in stays_up.COMMANDS:
    lab.add_command(command)

if __name__ == "__main__":
    sys.exit(run_cli(sys.argv[1:]))
