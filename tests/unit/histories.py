"""Small histories for unit tests: a header, a view, samples once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lab.events import Event, Exited
from lab.history import History, Sample
from lab.journal import Header
from lab.scenario import Load, Phase, Scenario
from lab.view import View

HEADER = Header(
    scenario="x", variant="default", control=False, runtime="native", seed=1, speed=15.0, strict=False,
    own_alerts=("A",), watched_alerts=("A", "B"), foreign_rules=False, pipeline_budget_s=1.0,
    evaluation_interval_s=1.0, versions={"lab": "0"}, users=10, started_at=0.0,
)  # fmt: skip


def killing(*services: str) -> Callable[[Exited], bool]:
    """Whose doing an end is in a scenario that kills these services."""
    return Scenario("x", "X", Load(), (), (), (), (), alerts=(), dies=services).kills


def header(**changes: Any) -> Header:
    return replace(HEADER, **changes)


def samples(seconds: int, **values: float | Callable[[int], float | None]) -> list[Sample]:
    """One sample a second from 0 on; a value is a number or a function of the second (None: not answered)."""
    return [
        Sample(float(t), {k: f for k, v in values.items() if (f := v(t) if callable(v) else v) is not None})
        for t in range(seconds)
    ]


def sampled(points: Mapping[str, Callable[[int], float | None]], seconds: int) -> list[Sample]:
    """The same for names that are no identifiers."""
    return samples(seconds, **points)


def view(
    found: list[Sample], *events: Event, phase: Phase = Phase.BROKEN, speed: float = 15.0, closed: bool = False,
    start: float = 0.0, **more: Any,
) -> View:  # fmt: skip
    """The phase `phase`, begun at `start` and seen at the last sample."""
    history = History(list(found), list(events))
    return View(history, header(speed=speed), phase, start, found[-1].t, closed, **more)
