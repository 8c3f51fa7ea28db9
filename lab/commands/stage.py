"""`lab run --stage`: whether a run is one for an audience, and its first stop."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.report.stage import After, StageStory, enter
from lab.stage import stops

if TYPE_CHECKING:
    from rich.console import Console

    from lab.plan import Plan
    from lab.story import Story

LONGEST_S = 3600.0


def refuse_auto(given: dict[str, Any]) -> None:
    """Of one run or several: nothing waits where there is no stage. Raises `UsageError`."""
    if given["auto"] is not None and not given["stage"]:
        raise UsageError("--auto: says how long --stage waits; add --stage")


def staged(plan: Plan, given: dict[str, Any], console: Console) -> StageStory | None:
    """The story of a run on a stage; None where no stage was asked for. Raises `UsageError`."""
    if not given["stage"]:
        return None
    for other, why in (("control", "it tells the story of a fault, and a control run has none"),
                       ("quiet", "it is there to tell")):  # fmt: skip
        if given[other]:
            raise UsageError(f"--stage: {why}; leave --{other} away")
    if given["auto"] is not None and not 0 <= given["auto"] <= LONGEST_S:  # nan is neither
        raise UsageError(f"--auto {given['auto']:g}: not between 0 and {LONGEST_S:.0f} seconds")
    if given["auto"] is None and not sys.stdin.isatty():
        raise UsageError("--stage: waits for Enter, and the input is no terminal; add --auto SECONDS")
    return StageStory(console, stops(plan.found), enter if given["auto"] is None else After(given["auto"]))


def opened(plan: Plan, story: Story) -> Plan:
    """The plan as it is begun: after the first stop, if there is one. The run's clock does not count it."""
    if not isinstance(story, StageStory):
        return plan
    story.opening()
    return replace(plan, header=replace(plan.header, started_at=time.time()))
