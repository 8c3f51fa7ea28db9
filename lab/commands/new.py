"""`lab new`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make a scenario of your own to begin with; DIR gives it its name.

    It runs, and fails because nothing is broken yet. CONTRIBUTING.md goes on from there.
    """
    from lab.starter import make_starter

    make_starter(folder)
    where = str(folder) if folder.is_absolute() else f"./{folder}"
    click.echo(f"made {where}; what is to be filled in is marked TODO")
    for command, meaning in (
        (f"lab run {where} --dry-run", "what a run would do"),
        (f"lab run {where}", "fails, and is right to: nothing is broken yet"),
        (f"lab show {where} --diff", "broken/ against fixed/, which is the lesson; empty so far"),
    ):
        click.echo(f"  {command}\n      {meaning}")
