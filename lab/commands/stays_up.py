"""The commands of the stack that stays up, as the command line declares them; what they do is imported when used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lab.commands.run_options import SERVERS, STACK, having, path


@click.command()
@click.argument("name", default="")
@having(
    STACK,
    [path("--out", "where logs are kept: OUT/up/<UTC>/", default=Path("runs"), envvar="LAB_OUT", show_default=True)],
    SERVERS,
)
def up(name: str, **given: Any) -> int:
    """Start the teaching stack, healthy and under load, and leave it up.

    With NAME (`lab list`, NAME:VARIANT or a folder) it has what that fault needs: its traffic, its past, its limits.
    """
    from lab.classroom.client import require_up
    from lab.commands.classroom import up_command
    from lab.paths import compose_dir

    code = up_command(name, given)
    if code == 0 and require_up().status().runtime == "docker":
        with_it = f"docker compose -f {compose_dir() / 'compose.yaml'} up -d --wait"
        click.echo(f"Grafana is not in it: `{with_it}` starts a stack that has its dashboards")
    return code


@click.command()
def down() -> int:
    """Stop the teaching stack."""
    from lab.commands.classroom import down_command

    return down_command()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def status(as_json: bool) -> int:
    """What the teaching stack is doing: services, fault, alerts, channel. Exit code 3 when none is up."""
    from lab.commands.classroom import status_command

    return status_command(as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("switch", type=click.Choice(["on", "off", "fix"]))
def fault(name: str, switch: Any) -> int:
    """Deploy a fault into the teaching stack: on is broken/, fix is fixed/, off is the healthy stack again."""
    from lab.commands.classroom import fault_command

    return fault_command(name, switch)


COMMANDS = (up, down, status, fault)
