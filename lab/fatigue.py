"""What notifications do to people: how many an hour, for how many incidents, how many gone before one could look.

Pure: from the notifications of the journal. A channel is a route of the receiver; a person reads one of them, so the
busiest counts. Dry runs are read by nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.events import Deployed, Notified, Switched
from lab.history import History
from lab.journal import Header
from lab.scenario import Phase, Wait
from lab.view import phase_window

SHORT = Wait(simulated_s=300)
"""An alert that is over sooner was probably noise."""


@dataclass(frozen=True)
class Episode:
    """An alert as a channel saw it: when it was told as firing, and as resolved (None: not yet)."""

    alert: str
    fired: float
    resolved: float | None


@dataclass(frozen=True)
class Fatigue:
    """What one channel carried in a stretch of time."""

    channel: str
    notifications: int
    episodes: tuple[Episode, ...]
    short: int
    """Episodes that were over in under five simulated minutes."""
    incidents: int
    hours: float
    """Simulated."""

    @property
    def per_hour(self) -> float:
        """Notifications in a simulated hour."""
        return self.notifications / self.hours if self.hours > 0 else 0.0

    @property
    def pairs(self) -> int:
        """Episodes that began and ended here."""
        return sum(e.resolved is not None for e in self.episodes)

    @property
    def score(self) -> float | None:
        """Notifications for each true incident; None where there was none."""
        return self.notifications / self.incidents if self.incidents else None

    def __str__(self) -> str:
        said = f"{self.notifications} in #{self.channel}, {self.per_hour:.0f} a simulated hour"
        score = f"{self.score:.1f} for each incident" if self.score is not None else "for no incident"
        share = f", {self.short} of {self.pairs} resolved in under 5 min" if self.pairs else ""
        return f"{said}, {score}{share}"


def fatigue_of(history: History, speed: float, start: float, end: float, ignored: Iterable[str] = ()) -> Fatigue:
    """The fatigue of the busiest channel in [start, end] (Unix time); alerts in `ignored` are not counted."""
    without = set(ignored)
    channels: dict[str, list[Notified]] = defaultdict(list)
    for notified in sorted(history.of(Notified, start, end), key=lambda n: n.t):
        if not notified.dry_run and notified.alert not in without:
            channels[notified.route].append(notified)
    # Of two that carry the same, the one whose name comes first.
    channel, told = min(channels.items(), key=lambda c: (-len(c[1]), c[0]), default=("-", []))
    episodes = episodes_of(told)
    lengths = [e.resolved - e.fired for e in episodes if e.resolved is not None]
    return Fatigue(
        channel=channel,
        notifications=len(told),
        episodes=tuple(episodes),
        short=sum(length < SHORT.seconds(speed) for length in lengths),
        incidents=len(incidents_of(history, start, end)),
        hours=(end - start) * speed / 3600,
    )


def fatigue_of_fault(header: Header, history: History) -> Fatigue | None:
    """What broken/ did to people, but for the alerts that the lab watches; None where nobody was told of another."""
    live, window = history.first(Deployed, what="broken"), phase_window(history, Phase.BROKEN)
    if live is None or window is None:
        return None
    found = fatigue_of(history, header.speed, live.t, window[1], header.watched_alerts)
    return found if found.notifications else None


def episodes_of(told: Sequence[Notified]) -> list[Episode]:
    """Notifications of one channel, in order, as pairs; a resolve of what was never told belongs to none."""
    found: list[Episode] = []
    open_: dict[tuple[str, str], int] = {}
    for notified in told:
        # Without labels (Slack) the name has to do; a group counts as the alert that it is named after.
        who = (notified.alert, str(sorted(notified.labels.items())))
        if notified.status == "firing" and who not in open_:
            open_[who] = len(found)
            found.append(Episode(notified.alert, notified.t, None))
        elif notified.status == "resolved" and who in open_:
            number = open_.pop(who)
            found[number] = Episode(notified.alert, found[number].fired, notified.t)
    return found


NO_INCIDENT = frozenset({"wander_from_s"})
"""Switches that bring the usual noise, not an incident."""


def incidents_of(history: History, start: float, end: float) -> list[tuple[float, float | None]]:
    """True incidents that began in [start, end]: from a switch being turned until all are back (None: not yet)."""
    found: list[tuple[float, float | None]] = []
    for event in sorted(history.of(Switched), key=lambda e: e.t):
        if event.switches.keys() <= NO_INCIDENT:
            continue
        turned = any(value is not None for value in event.switches.values())
        if turned and (not found or found[-1][1] is not None):
            found.append((event.t, None))
        elif not turned and found and found[-1][1] is None:
            found[-1] = (found[-1][0], event.t)
    return [incident for incident in found if start <= incident[0] <= end]
