"""`lab lint`: print what was found; the exit code says whether there is an error."""

from __future__ import annotations

import json

import click


def smoke_command(url: str, require: tuple[str, ...], timeout_s: float, wait_s: float, *, as_json: bool) -> int:
    """Ask a metrics endpoint. Raises `UsageError` on what is no URL; a page that is missing is a finding."""
    from lab.lint.smoke import smoke

    found = smoke(url, require=require, timeout_s=timeout_s, wait_s=wait_s)
    click.echo(json.dumps(found.to_json(), indent=2) + "\n" if as_json else found.to_text(), nl=False)
    return found.exit_code


def metrics_command(
    target: str, require: tuple[str, ...], interval_s: float, timeout_s: float, *, as_json: bool
) -> int:
    """Lint a metrics page. Raises `UsageError` on what is none."""
    from lab.lint.metrics import lint

    report = lint(target, require=require, interval_s=interval_s, timeout_s=timeout_s)
    click.echo(json.dumps(report.to_json(), indent=2) + "\n" if as_json else report.to_text(), nl=False)
    return report.exit_code
