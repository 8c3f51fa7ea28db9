"""Conditions on a figure that the patient's Prometheus can compute, asked once a second, with whatever unit it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab import signals
from lab.conditions.values import Threshold
from lab.scenario import Check


@dataclass(frozen=True)
class FigureIs(Threshold):
    """The result of an expression above or below a limit; `expr` at production timings."""

    expr: str = ""


@dataclass(frozen=True)
class figure:  # noqa: N801 - reads as a word of the vocabulary
    """An expression with one result, such as dollars an hour."""

    label: str
    expr: str

    def above(self, limit: float) -> Check:
        """Greater than `limit`."""
        return self._is("above", limit)

    def below(self, limit: float) -> Check:
        """Less than `limit`."""
        return self._is("below", limit)

    def _is(self, op: Literal["above", "below"], limit: float) -> Check:
        condition = FigureIs(signals.figure(self.label), self.label, op, limit, self.expr)
        return Check(condition.expected, condition)
