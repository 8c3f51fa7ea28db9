"""`lab doctor`, `lab install`, `lab clean`: what concerns the machine and not a run."""

from __future__ import annotations

import json

import click

from lab.sweep import sweep


def doctor_command(as_json: bool) -> int:
    """Print what is there; 3 when something that is needed is missing."""
    from lab.doctor import examine

    sweep()
    report = examine()
    click.echo(json.dumps(report.to_json(), indent=2) if as_json else "\n".join(report.to_lines()))
    return 0 if report.ok else 3


def install_command(dry_run: bool) -> None:
    """Carry out the plan, or only say it."""
    from lab.install import install, plan

    sweep()
    steps = plan()
    if dry_run:
        for step in steps:
            click.echo(step.describe())
        return
    install(steps, lambda line: click.echo(line, err=True))


def clean_command() -> None:
    """Sweep dead runs and kept stacks."""
    swept = sweep(kept=True)
    for one in swept:
        click.echo(f"{one.run_id}: {one.processes} processes ended, {one.folders} temp folders removed")
    if not swept:
        click.echo("nothing was left behind")
