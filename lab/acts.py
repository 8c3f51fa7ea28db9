"""Acts: turn switches of the service at their moments of a phase, while the checks watch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from lab.events import Deployed, Switched
from lab.history import History
from lab.journal import Journal
from lab.scenario import Act, Phase, Scenario
from lab.stack import Stack


@dataclass
class Acts:
    """What is still to be done; `step` does what is due."""

    scenario: Scenario
    stack: Stack
    journal: Journal
    _done: set[int] = field(default_factory=set)

    def step(self, phase: Phase, history: History) -> None:
        """Do what is due in a phase. Raises `LabError` when the service refuses."""
        what = "healthy" if phase in (Phase.STEADY, Phase.CONTROL) else phase.value
        live = max((e.t for e in history.of(Deployed) if e.what == what), default=None)
        if live is None:
            return
        for number, act in enumerate(self.scenario.acts):
            due = live + act.after.seconds(self.stack.speed)
            if act.phase is phase and number not in self._done and time.time() >= due:
                self._done.add(number)
                self._do(act)

    def pending(self, phase: Phase) -> bool:
        """Whether a phase has acts that are still to come."""
        return any(a.phase is phase and n not in self._done for n, a in enumerate(self.scenario.acts))

    def _do(self, act: Act) -> None:
        self.stack.switch(act.switches)
        self.journal.record(Switched(time.time(), act.switches))
