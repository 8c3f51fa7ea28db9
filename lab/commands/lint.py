"""`lab lint`: print what was found; the exit code says whether there is an error."""

from __future__ import annotations

import json

import click


def metrics_command(
    target: str, require: tuple[str, ...], interval_s: float, timeout_s: float, *, as_json: bool
) -> int:
    """Lint a metrics page. Raises `UsageError` on what is none."""
    from lab.lint.metrics import lint

    report = lint(target, require=require, interval_s=interval_s, timeout_s=timeout_s)
    click.echo(json.dumps(report.to_json(), indent=2) + "\n" if as_json else report.to_text(), nl=False)
    return report.exit_code
