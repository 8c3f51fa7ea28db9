"""What was typed: an option that a variable or lab.toml gives stands for other times, too, and is no mistake of now."""

from __future__ import annotations

import click
from click.core import ParameterSource


def is_typed(name: str) -> bool:
    """Whether the command line itself gave this parameter of the command that runs."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
