"""A judged day as one SVG: the values, the normal band, what was injected and what was flagged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from lab.exercises.detection import Day
from lab.exercises.scoring import fixed_threshold
from lab.exercises.traffic import DAY_S, Floats
from lab.text import one_line

LEFT, TOP, WIDTH, HEIGHT = 46.0, 44.0, 900.0, 300.0
SAME_MARK_PX = 4.0
"""Marks closer than that are drawn as one."""
MOST = 3.0
"""Times the highest value: a band far above it ends at the frame, it does not flatten everything else."""


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in pixels, and what is written there."""

    at: float
    label: str


@dataclass(frozen=True)
class Span:
    """An injected anomaly on the time axis, in pixels."""

    x: float
    width: float
    label: str


def svg(day: Day, title: str) -> str:
    """The chart; `title` may be text from outside."""
    start = float(day.times[-1]) - DAY_S
    low, high = fixed_threshold(day.traffic)
    busiest = float(max(day.values.max(), high))
    top = max(busiest, min(float(day.high.max()), MOST * busiest)) * 1.05

    def x(times: Floats) -> Floats:
        return LEFT + (times - start) / DAY_S * WIDTH

    def y(values: Floats) -> Floats:
        return TOP + HEIGHT * (1 - np.clip(values, 0, top) / top)

    across = x(day.times)
    there, back = _path(across, y(day.high)), _path(across[::-1], y(day.low)[::-1])
    environment = Environment(
        loader=PackageLoader("lab.exercises", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("day.svg.j2").render(
        title=one_line(title), left=LEFT, top=TOP, width=WIDTH, height=HEIGHT, score=day.score,
        band=f"{there} {back}", expected=_path(across, y(day.expected)), line=_path(across, y(day.values)),
        thresholds=[float(one) for one in y(np.array([low, high]))],
        spans=[
            Span(float(x(np.array([one.start]))[0]), (one.end - one.start) / DAY_S * WIDTH, f"x {one.factor:g}")
            for one in day.traffic.anomalies
        ],
        marks=_marks(day, x, y),
        hours=[
            Tick(float(x(np.array([start + hour * 3600]))[0]), time.strftime("%H:%M", time.gmtime(start + hour * 3600)))
            for hour in range(0, 25, 3)
        ],
        levels=[Tick(float(y(np.array([level]))[0]), f"{level:g}") for level in range(0, int(top) + 1, 10)],
    )  # fmt: skip


def _path(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _marks(day: Day, x: Callable[[Floats], Floats], y: Callable[[Floats], Floats]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for a, b in zip(x(day.times[day.flagged]), y(day.values[day.flagged]), strict=True):
        if not found or abs(a - found[-1][0]) + abs(b - found[-1][1]) >= SAME_MARK_PX:
            found.append((float(a), float(b)))
    return found
