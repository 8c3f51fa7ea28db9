"""The course of a measurement: a server without series, then with them. Bounded in time; knows no server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lab.advise.footprint import Readings
from lab.errors import LabError

IDLE_S = 8.0
"""How long the server is left alone first."""
LOADED_S = 75.0
"""How long it then scrapes: more than one chunk of each series at `SCRAPE_MS`."""
SCRAPE_MS = 500
POLL_S = 0.5


@dataclass(frozen=True)
class Block:
    """A block on disk: its samples, and the bytes of its chunks."""

    samples: int
    chunk_bytes: int


class Subject(Protocol):
    """The server that is measured. Each call may raise `LabError`."""

    def rss(self) -> int:
        """Resident memory, bytes."""
        ...

    def series(self) -> int:
        """In the head."""
        ...

    def wal_bytes(self) -> int:
        """Of the write-ahead log on disk."""
        ...

    def block(self) -> Block:
        """What is in the head, written as a block."""
        ...


@dataclass(frozen=True)
class Clock:
    """Time, in seconds, and how to let it pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


def take(subject: Subject, fill: Callable[[], None], clock: Clock, say: Callable[[str], None]) -> Readings:
    """Read the idle server, let the series come, read the peak, and in the end what is on disk."""
    say(f"an idle Prometheus: {IDLE_S:.0f} s")
    idle_rss = _peak(subject, clock, IDLE_S)
    idle_series = subject.series()
    fill()
    say(f"series come, a scrape each {SCRAPE_MS} ms: {LOADED_S:.0f} s")
    peak_rss = _peak(subject, clock, LOADED_S)
    series, wal_bytes, block = subject.series(), subject.wal_bytes(), subject.block()
    return Readings(idle_rss, idle_series, peak_rss, series, block.samples, block.chunk_bytes, wal_bytes)


def _peak(subject: Subject, clock: Clock, seconds: float) -> int:
    end = clock.now() + seconds
    peak = 0
    while clock.now() < end:
        peak = max(peak, subject.rss())
        clock.sleep(POLL_S)
    if not peak:
        raise LabError("the memory of the server was not read once")
    return peak
