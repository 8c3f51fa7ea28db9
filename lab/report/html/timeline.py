"""The life of the alerts as lanes under the phases: when each was pending, when firing, when people were told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from lab import signals
from lab.events import Notified
from lab.report.html.marks import Band, Mark, bands, marks
from lab.stored import Stored

_WORDS = {signals.PENDING: "pending", signals.FIRING: "firing"}
MOST_SAID = 20
"""Of a lane in words."""
MOST_SPANS = 400
"""Of a lane; one that flaps more often than this is drawn up to there."""
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
BADGE = 4.5
"""Per cent of the width that a numbered mark takes."""


@dataclass(frozen=True)
class Span:
    """A stretch of a lane; `left` and `width` in per cent of the run."""

    kind: str
    left: float
    width: float
    title: str


@dataclass(frozen=True)
class Lane:
    """One alert. `role`: own, follows (a declared consequence) or other."""

    name: str
    role: str
    spans: tuple[Span, ...]
    told: tuple[Span, ...]

    @property
    def words(self) -> str:
        """The same to be read aloud."""
        said = [*(span.title for span in self.spans), *(f"told {one.title}" for one in self.told)]
        left_out = [f"and {len(said) - MOST_SAID} more"] if len(said) > MOST_SAID else []
        return ", ".join([*said[:MOST_SAID], *left_out])


@dataclass(frozen=True)
class Badge:
    """A numbered mark with the row that it stands in, so that none covers another."""

    mark: Mark
    left: float
    row: int


@dataclass(frozen=True)
class Timeline:
    """Everything in per cent of the run's length."""

    length: float
    phases: tuple[Span, ...] = ()
    badges: tuple[Badge, ...] = ()
    rows: int = 0
    lanes: tuple[Lane, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    quiet: int = 0
    """Watched alerts without a lane."""


def timeline(stored: Stored) -> Timeline:
    """The timeline of a run; empty where no phase began."""
    phases, happened = bands(stored), marks(stored)
    length = max([stored.recording.history.end - stored.header.started_at, *(b.end for b in phases), 1.0])
    badges, lanes = tuple(_badges(happened, length)), tuple(_lanes(stored, length))
    return Timeline(
        length=length,
        phases=tuple(_band(band, length) for band in phases),
        badges=badges,
        rows=max((badge.row + 1 for badge in badges), default=0),
        lanes=lanes,
        ticks=tuple(_ticks(length)),
        quiet=len(set(stored.header.watched_alerts) - {lane.name for lane in lanes}),
    )


def _band(band: Band, length: float) -> Span:
    return _span(band.name, band.start, band.end, length, f"{band.name} from {band.start:.1f} s to {band.end:.1f} s")


def _span(kind: str, start: float, end: float, length: float, title: str) -> Span:
    left = 100 * min(max(start, 0.0), length) / length
    return Span(kind, round(left, 3), round(max(0.0, 100 * min(end, length) / length - left), 3), title)


def _badges(happened: list[Mark], length: float) -> Iterator[Badge]:
    ends: list[float] = []
    for mark in happened:
        left = 100 * min(max(mark.t, 0.0), length) / length
        row = next((number for number, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [left + BADGE]
        yield Badge(mark, round(left, 3), row)


def _lanes(stored: Stored, length: float) -> Iterator[Lane]:
    history, header = stored.recording.history, stored.header
    others = sorted({n.alert for n in history.of(Notified)} - set(header.watched_alerts))
    for name in (*header.watched_alerts, *others):
        told = [_message(n, n.t - header.started_at, length) for n in history.of(Notified) if n.alert == name]
        role = _role(stored, name)
        # A rule that was only pending for a moment is no part of the story, unless it is one of the fault's own.
        told_of = told or name in stored.outcome.raised or role in ("own", "follows")
        spans = list(_states(stored, name, length)) if told_of else []
        if told or spans:
            yield Lane(name, role, tuple(spans[:MOST_SPANS]), tuple(told[:MOST_SPANS]))


def _role(stored: Stored, name: str) -> str:
    if name in stored.header.own_alerts:
        return "own"
    if name in stored.found.scenario.consequences:
        return "follows"
    return "other" if name in stored.header.watched_alerts else "deployed"


def _states(stored: Stored, name: str, length: float) -> Iterator[Span]:
    """Stretches of samples in the same state; each lasts until the next look."""
    key, zero = signals.alert_state(name), stored.header.started_at
    looks = [(s.t - zero, s.values[key]) for s in stored.recording.history.samples if key in s.values]
    number = 0
    for state, group in groupby(looks, key=lambda look: look[1]):
        start = looks[number][0]
        number += sum(1 for _ in group)
        end = looks[number][0] if number < len(looks) else looks[-1][0]
        if state in _WORDS:
            title = f"{_WORDS[state]} from {start:.1f} s to {end:.1f} s"
            yield _span(_WORDS[state], start, end, length, title)


def _message(told: Notified, t: float, length: float) -> Span:
    kind = "trial" if told.dry_run else told.status
    return _span(kind, t, t, length, f"{told.status} in #{told.route} at {t:.1f} s")


def _ticks(length: float) -> Iterator[tuple[float, str]]:
    step = next((s for s in TICKS if length / s <= 8), TICKS[-1])
    for number in range(int(length // step) + 1):
        yield round(100 * number * step / length, 3), f"{number * step} s"
