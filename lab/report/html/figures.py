"""The figures under a chart: each line's least, mean and greatest value in each phase, for who can't see the chart."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.report.html.marks import Band

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Figures:
    """One row, as text."""

    line: str
    phase: str
    least: str
    mean: str
    greatest: str


def figures(
    unit: str, x: Sequence[float], lines: Sequence[tuple[str, Sequence[float | None]]], phases: Sequence[Band]
) -> list[Figures]:
    """Rows for every line and every phase in which it has values."""
    said = FORMS[unit]
    found = []
    spans = [(phase, bisect_left(x, phase.start), bisect_right(x, phase.end)) for phase in phases]
    for label, values in lines:
        for phase, low, high in spans:
            known = [v for v in values[low:high] if v is not None]
            if known:
                three = min(known), sum(known) / len(known), max(known)
                found.append(Figures(label, phase.name, *map(said, three)))
    return found


def _bytes(value: float) -> str:
    power = 0
    while abs(value) >= 1024 and power < len(_UNITS) - 1:
        value, power = value / 1024, power + 1
    return f"{value:.4g} {_UNITS[power]}"


def _seconds(value: float) -> str:
    return f"{1000 * value:.3g} ms" if 0 < abs(value) < 1 else f"{value:.3g} s"


def _count(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _percent(value: float) -> str:
    return f"{value:.1f} %"


FORMS: dict[str, Callable[[float], str]] = {
    "bytes": _bytes, "seconds": _seconds, "count": _count, "whole": _count, "state": _count, "percent": _percent,
}  # fmt: skip
"""How a value of a unit is written."""
