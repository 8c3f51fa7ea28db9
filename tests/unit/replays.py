"""A recorded run told again to a listener, up to a moment of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kept_runs import RECORDED

from lab.catalog import find
from lab.events import Deployed
from lab.history import History
from lab.scenario import CheckResult, Mode, Phase
from lab.stored import Stored, load
from lab.story import Story


def told(result: CheckResult) -> bool:
    """Whether a runner tells of it as it comes: guards and what must hold to the end are left to the table."""
    return not result.guard and result.mode is not Mode.ALWAYS


@dataclass
class Replay:
    """Tells `listener` what the run's runner would have told it."""

    name: str
    listener: Story
    stored: Stored = field(init=False)
    plan: Any = field(init=False)
    now: float = field(init=False)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.stored = load(RECORDED / f"{self.name}.jsonl")
        found = find(self.stored.header.scenario)
        self.now = self.stored.header.started_at
        self.plan = SimpleNamespace(scenario=found.scenario, header=self.stored.header, found=found)

    def begin(self, run_dir: Path) -> None:
        """The run is about to start."""
        self.listener.begin(self.plan, run_dir)

    def to(self, seconds: float) -> None:
        """So many seconds of the run have gone."""
        until = self.now = self.stored.header.started_at + seconds
        whole = self.stored.recording.history
        for phase in self.stored.outcome.judgement.phases:
            if phase.start <= until and phase.phase.value not in self._told:
                self._told.add(phase.phase.value)
                self.listener.phase(Phase(phase.phase))
            for result in phase.results:
                name = f"{phase.phase}/{result.name}"
                if result.at is not None and result.at <= until and told(result) and name not in self._told:
                    self._told.add(name)
                    self.listener.settled(SimpleNamespace(name=result.name), result)  # type: ignore[arg-type]
        for event in whole.events:
            if (
                isinstance(event, Deployed)
                and event.files
                and event.t <= until
                and f"{event.what} is live" not in self._told
            ):
                self._told.add(f"{event.what} is live")
                self.listener.deployed(SimpleNamespace(what=event.what, files=event.files))  # type: ignore[arg-type]
        # In the order in which they were written: some are dated back to when what they tell began.
        events = list(takewhile(lambda event: event.t <= until, whole.events))
        history = History([s for s in whole.samples if s.t <= until], events)
        self.listener.live(history, self.plan)
