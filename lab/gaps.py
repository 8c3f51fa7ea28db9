"""How long a metric had no samples, read back from the patient's own storage once a fix has brought it back.

The lab looks once a second; what it sees of a gap is off by a scrape at either end. The stored samples are not.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import pairwise

from lab import signals
from lab.events import Deployed, GapMeasured, PhaseStarted
from lab.history import History
from lab.journal import Journal
from lab.prom import ApiError, Prometheus
from lab.scenario import Phase
from lab.stack import Stack
from lab.view import SCRAPE

PAUSE_S = 1.0
MARGIN_S = 2.0


@dataclass
class Gaps:
    """`wanted`: whether a check of the run asks for it; otherwise nothing is read."""

    wanted: bool
    stack: Stack
    journal: Journal
    _told: bool = field(default=False, init=False)
    _due: float = field(default=0.0, init=False)

    def step(self, phase: Phase, history: History) -> None:
        """Read it once the fixed release is live and its first sample is stored; try again once a second until then."""
        if not self.wanted or self._told or phase is not Phase.FIXED or time.monotonic() < self._due:
            return
        fault = history.first(PhaseStarted, name=Phase.BROKEN.value)
        fix = history.first(PhaseStarted, name=Phase.FIXED.value)
        live = history.first(Deployed, what="fixed")
        if fault is None or fix is None or live is None:
            return
        self._due = time.monotonic() + PAUSE_S
        since = fault.t - 2 * SCRAPE.seconds(self.stack.speed) - MARGIN_S
        found = longest(self._stored(since), fix.t, live.t)
        if found is not None:
            self._told = True
            self.journal.record(GapMeasured(time.time(), *found))

    def _stored(self, since: float) -> list[float]:
        """Moments at which the counter of queries was scraped, from `since` on; none where the patient is not there."""
        client = Prometheus(self.stack.address("prometheus:9090"), timeout_s=2.0)
        try:
            series = client.stored(signals.QUERIES, math.ceil(time.time() - since))
        except ApiError:
            return []
        finally:
            client.close()
        return sorted({t for one in series for t, _ in one.points})


def longest(taken: list[float], since: float, live: float) -> tuple[float, float] | None:
    """The longest gap that ends after `since`: the samples before and after it; None until there is one from `live`.

    `taken`: moments of samples, in order. All in Unix seconds.
    """
    if not taken or taken[-1] < live:
        return None
    ended = [pair for pair in pairwise(taken) if pair[1] >= since]
    return max(ended, key=lambda pair: pair[1] - pair[0], default=None)
