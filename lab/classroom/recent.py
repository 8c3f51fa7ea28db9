"""The last half hour of the teaching stack: sampled as a run is, kept in memory alone."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from lab import signals
from lab.catalog import alerts_in
from lab.deployment import HEALTHY
from lab.events import Event
from lab.history import History, Sample
from lab.plan import HEARTBEAT
from lab.sampler import TICK_S, Sampler

KEPT = 1800
"""Samples that are kept: one a second."""
KEPT_EVENTS = 1000


@dataclass(frozen=True)
class Watched:
    """What a sampler asks of a run's header."""

    watched_alerts: tuple[str, ...]


@dataclass
class Recent:
    """Takes samples and events as a journal does, and forgets the oldest. Thread-safe."""

    header: Watched
    history: History = field(default_factory=History)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, entry: Sample | Event) -> None:
        """Keep a sample or an event."""
        with self._lock:
            self.history.add(entry)
            del self.history.samples[:-KEPT]
            del self.history.events[:-KEPT_EVENTS]

    def since(self, t: float) -> list[Sample]:
        """Samples after Unix time `t`."""
        with self._lock:
            return [sample for sample in self.history.samples if sample.t > t]

    @property
    def requests_per_s(self) -> float | None:
        """What the traffic was answered in the last seconds; None where it says nothing."""
        with self._lock:
            return self.history.value(signals.RPS, time.time())


class Watcher(Sampler):
    """A sampler that goes on after a failure, and leaves it to the owner to see who has died."""

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            with suppress(Exception):  # a look that failed is a gap in the charts
                self.tick()

    def _exits(self) -> None:
        """The owner brings back what ended."""


def watched(detect_rules: dict[str, str]) -> Watched:
    """All alerts that the stack can raise."""
    loaded = (*alerts_in(detect_rules), *alerts_in(HEALTHY.prometheus_rules()))
    return Watched(tuple(dict.fromkeys(name for name in loaded if name != HEARTBEAT)))
