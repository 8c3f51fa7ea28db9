"""Who listens to a run while it goes on: the terminal, later a page. The base class says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.deployment import Deployment
    from lab.history import History
    from lab.outcome import Outcome
    from lab.plan import Plan
    from lab.scenario import Check, CheckResult, Phase


class Story:
    """A listener that says nothing; the others override what they tell."""

    def begin(self, plan: Plan, run_dir: Path) -> None:
        """A run is about to start its services."""

    def phase(self, phase: Phase) -> None:
        """A phase begins."""

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
