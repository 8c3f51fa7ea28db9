"""Numbers on the command line."""

from __future__ import annotations

import math
from typing import Any

import click

MAX_SECONDS = 30 * 86_400
"""More than anything here takes; timers of the system take little more."""


class Finite(click.FloatRange):
    """A range without infinity and without what is no number: both are no seconds that anybody could wait."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails as any option does that makes no sense."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is no finite number", param, ctx)
        return number
