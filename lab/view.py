"""What a condition may look at: the history, the window of its phase, and the facts of earlier phases."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lab.events import Deployed, PhaseEnded, PhaseStarted
from lab.history import History
from lab.journal import Header
from lab.scenario import Phase, Wait

SETTLE = Wait(simulated_s=30.0, real_s=4.0)
"""A deployment's own gap: a process start, the first scrapes. Rates are compared outside it."""

SCRAPE = Wait(simulated_s=15.0)
"""The production scrape interval of compose/prometheus/*.yml."""


@dataclass(frozen=True)
class View:
    """One phase of a run, as seen at `now`. All moments are Unix seconds."""

    history: History
    header: Header
    phase: Phase
    start: float
    now: float
    closed: bool
    """True when nothing will be added to this phase any more."""
    onset_after_s: float | None = None
    """Seconds from the broken deployment to the first symptom."""
    first_moments: dict[int, float | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """When a check, by its identity, was first true in this very view: found once, asked at every moment."""

    @property
    def scrape_s(self) -> float:
        """Real seconds between two scrapes."""
        return SCRAPE.seconds(self.header.speed)

    def window_s(self, least_s: float) -> float:
        """A window of at least so many real seconds that holds at least five scrapes."""
        return max(least_s, 5 * self.scrape_s)

    @property
    def zero(self) -> float:
        """When this phase's deployment went live: delays count from here. The phase's start if there is none."""
        what = "healthy" if self.phase in (Phase.STEADY, Phase.CONTROL) else self.phase.value
        live = self.history.first(Deployed, self.start, what=what)
        return live.t if live else self.start

    @property
    def due_from(self) -> float:
        """From when on the deadlines of this phase count: a deployment that takes long takes nothing of a fix's time.

        A journal of format 1 is judged as it was when it was written: from the start of the phase.
        """
        return self.zero if self.header.format > 1 else self.start

    @property
    def settled(self) -> float:
        """From when on rates of this phase can be compared with others."""
        return self.zero + SETTLE.seconds(self.header.speed)

    def steady_mean(self, name: str) -> float | None:
        """The mean of a sample name over the settled part of the steady phase."""
        return self.history.mean(name, *self.steady_window())

    def steady_window(self) -> tuple[float, float]:
        """(start, end) of the settled part of the steady phase; of nothing, where there was none."""
        window = phase_window(self.history, Phase.STEADY)
        if window is None:
            return math.inf, -math.inf
        start, end, _ = window
        return min(start + SETTLE.seconds(self.header.speed), end), end


def phase_window(history: History, phase: Phase) -> tuple[float, float, bool] | None:
    """(start, end, closed) of a phase; None: never begun. An open phase ends with the last thing known."""
    begun = history.first(PhaseStarted, name=phase.value)
    if begun is None:
        return None
    ended = history.first(PhaseEnded, begun.t, name=phase.value)
    return (begun.t, ended.t, True) if ended else (begun.t, history.end, False)
