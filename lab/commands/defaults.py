"""Defaults of options from lab.toml, and where a value that was not typed came from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from lab.errors import UsageError

CONFIG = Path("lab.toml")
Commands = Mapping[str, click.Command]


def name_source(error: click.BadParameter) -> None:
    """Let a value that was not typed be named after where it comes from: a variable, or lab.toml."""
    context, option = error.ctx, error.param
    if context is None or option is None or option.name is None:
        return
    source = context.get_parameter_source(option.name)
    if source is ParameterSource.ENVIRONMENT:
        error.param_hint = f"the variable {option.envvar}"
    elif source is ParameterSource.DEFAULT_MAP:
        longest = max(option.opts, key=len).removeprefix("--")
        error.param_hint = f"{longest} in [{context.info_name}] of {CONFIG}"


def defaults(commands: Commands) -> dict[str, dict[str, str]]:
    """Defaults from lab.toml in the current folder: a table for each command. Raises `UsageError`."""
    if not CONFIG.is_file():
        return {}
    try:
        found = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{CONFIG}: {error}; see docs/configuration.md") from error
    return {name: _table(name, table, commands) for name, table in found.items()}


def _table(name: str, table: object, commands: Commands) -> dict[str, str]:
    """One table: parameters by their names in the code, with values as a variable would hold them."""
    if name not in commands or not isinstance(table, dict):
        raise UsageError(f"{CONFIG}: [{name}]: no such command; tables are named after commands, such as [run]")
    options = [p for p in commands[name].params if isinstance(p, click.Option)]
    known = {o.removeprefix("--"): p for p in options for o in p.opts if o.startswith("--")}
    values = {}
    for key, value in table.items():
        option = known.get(key.replace("_", "-"))
        if option is None:
            raise UsageError(f"{CONFIG}: [{name}] {key}: no such option of `lab {name}`; see `lab {name} --help`")
        if option.multiple:
            raise UsageError(f"{CONFIG}: [{name}] {key}: may be given again, so only on the command line")
        if not isinstance(value, str | int | float):
            raise UsageError(f"{CONFIG}: [{name}] {key}: neither text nor a number, true or false")
        values[str(option.name)] = str(value)
    return values
