"""Questions about the back-filled past, asked of the patient once a fix is live, until it has answered them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from lab.events import Answered, Deployed
from lab.history import History
from lab.journal import Journal
from lab.prom import ApiError, Prometheus
from lab.scenario import Phase
from lab.stack import Stack

PAUSE_S = 1.0


@dataclass
class Questions:
    """`asked`: PromQL with one element as its result. They are put to the moment at which the past ends."""

    asked: tuple[str, ...]
    stack: Stack
    journal: Journal
    _told: dict[str, float | None] = field(default_factory=dict)
    _due: float = 0.0

    def step(self, phase: Phase, history: History) -> None:
        """Ask what is still open, once a second at most. An answer without a result is told once, and asked again."""
        past = self.stack.past
        open_ = [question for question in self.asked if self._told.get(question) is None]
        live = history.first(Deployed, what="fixed")
        if phase is not Phase.FIXED or past is None or live is None or not open_ or time.monotonic() < self._due:
            return
        client = Prometheus(self.stack.address("prometheus:9090"), timeout_s=2.0)
        for question in open_:
            self._ask(client, question, float(past.end))
        client.close()
        self._due = time.monotonic() + PAUSE_S

    def _ask(self, client: Prometheus, question: str, at: float) -> None:
        try:
            value = client.number(question, at)
        except ApiError:
            return  # refused or not there: no answer
        if value is not None or question not in self._told:
            self._told[question] = value
            self.journal.record(Answered(time.time(), question, at, value))
