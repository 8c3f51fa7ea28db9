"""Questions about the back-filled past, asked of the patient once a fix is live, until it has answered them.

Beside those of the scenario: what each panel of the broken dashboard said, and what the live panel of that title says.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from lab.conditions.panels import told
from lab.dashboard import NONE, Dashboard, parse
from lab.events import Answered, Deployed
from lab.history import History
from lab.journal import Journal
from lab.prom import ApiError, Prometheus
from lab.scenario import Phase
from lab.stack import Stack

PAUSE_S = 1.0
BUSY_S = 1.0
"""A server in trouble is not waited for: what is still open then is asked in another round."""

STEP = "5m"
"""Between two of the points of which a panel's mean is taken."""


def of_panels(broken: Dashboard, fixed: Dashboard) -> dict[str, str]:
    """Questions in PromQL, by what they are recorded as: the broken panel's last point, the live panel's mean."""
    live = {panel.title: panel for panel in fixed.panels if panel.exprs}
    asked: dict[str, str] = {}
    for panel in broken.panels:
        if panel.exprs and panel.title in live:
            mean = f"sum(avg_over_time(({_sum(live[panel.title].exprs)})[{fixed.range_s:.0f}s:{STEP}]))"
            asked |= {told(panel.title, "broken"): _sum(panel.exprs), told(panel.title, "fixed"): mean}
    return asked


def _sum(exprs: tuple[str, ...]) -> str:
    return " + ".join(f"sum({expr})" for expr in exprs)


@dataclass
class Questions:
    """`asked`: PromQL with one element as its result. They are put to the moment at which the past ends."""

    asked: tuple[str, ...]
    stack: Stack
    journal: Journal
    _broken: Dashboard = NONE
    _told: dict[str, float | None] = field(default_factory=dict)
    _tried: Counter[str] = field(default_factory=Counter)
    _due: float = 0.0

    def step(self, phase: Phase, history: History) -> None:
        """Ask what is still open, once a second at most. An answer without a result is told once, and asked again."""
        past = self.stack.past
        if past is None or time.monotonic() < self._due:
            return
        if phase is Phase.BROKEN and self._broken is NONE:
            self._broken = self._shown()
        if phase is Phase.FIXED and history.first(Deployed, what="fixed") is not None:
            self._put(float(past.end))
            self._due = time.monotonic() + PAUSE_S

    def _shown(self) -> Dashboard:
        try:
            return parse(self.stack.dashboard.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return NONE

    def _put(self, at: float) -> None:
        asked = {question: question for question in self.asked} | of_panels(self._broken, self._shown())
        open_ = sorted((q for q in asked if self._told.get(q) is None), key=lambda q: self._tried[q])
        end = time.monotonic() + BUSY_S
        with closing(Prometheus(self.stack.address("prometheus:9090"), timeout_s=2.0)) as client:
            for question in open_:
                if time.monotonic() < end:
                    self._tried[question] += 1
                    self._ask(client, question, asked[question], at)

    def _ask(self, client: Prometheus, question: str, expr: str, at: float) -> None:
        try:
            value = client.number(expr, at)
        except ApiError:
            return  # refused or not there: no answer
        if value is not None or question not in self._told:
            self._told[question] = value
            self.journal.record(Answered(time.time(), question, at, value))
