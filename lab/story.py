"""Who listens to a run while it goes on: the terminal, later a page. The base class says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.deployment import Deployment
    from lab.history import History
    from lab.load_elsewhere import Wanted
    from lab.outcome import Outcome
    from lab.plan import Plan
    from lab.scenario import Check, CheckResult, Phase


class Story:
    """A listener that says nothing; the others override what they tell."""

    def begin(self, plan: Plan, run_dir: Path) -> None:
        """A run is about to start its services."""

    def ready(self, urls: Mapping[str, str]) -> None:
        """The services answer; the URL of each by its name."""

    def workers_wanted(self, wanted: Wanted) -> None:
        """The traffic waits for workers that somebody must start."""

    def phase(self, phase: Phase) -> None:
        """A phase begins. The one with a deployment begins when this returns: a listener may hold the run here."""

    def deployed(self, deployment: Deployment) -> None:
        """A deployment is live."""

    def live(self, history: History, plan: Plan) -> None:
        """A look at the run, several times a second."""

    def settled(self, check: Check, result: CheckResult) -> None:
        """A check has its result."""

    def unwinding(self) -> None:
        """Everything is being stopped."""

    def end(self, outcome: Outcome) -> None:
        """The run is judged."""


class Several(Story):
    """Tells each of several listeners."""

    def __init__(self, listeners: Sequence[Story]) -> None:
        self.listeners = listeners

    def begin(self, plan: Plan, run_dir: Path) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.begin(plan, run_dir)

    def ready(self, urls: Mapping[str, str]) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.ready(urls)

    def workers_wanted(self, wanted: Wanted) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.workers_wanted(wanted)

    def phase(self, phase: Phase) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.phase(phase)

    def deployed(self, deployment: Deployment) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.deployed(deployment)

    def live(self, history: History, plan: Plan) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.live(history, plan)

    def settled(self, check: Check, result: CheckResult) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.settled(check, result)

    def unwinding(self) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.unwinding()

    def end(self, outcome: Outcome) -> None:
        """Tell all."""
        for listener in self.listeners:
            listener.end(outcome)
