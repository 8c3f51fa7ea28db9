"""The channels as a reader would see them: one message under the other."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

from lab.events import Notified
from lab.stored import Stored

SHOWN = 12
"""Messages of a channel that are seen at once."""
MOST = 200
"""Messages of a channel that are kept in the page; the journal has all."""
_SAID = ("summary", "description", "runbook_url")


@dataclass(frozen=True)
class Message:
    """One notification. `at`: time of day, UTC; `into`: seconds of the run; `fields`: labels and other annotations."""

    status: str
    alert: str
    severity: str
    at: str
    into: float
    phase: str
    summary: str
    description: str
    runbook: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Channel:
    """One route. `trial`: a dry run, of which nobody was told."""

    name: str
    trial: bool
    total: int
    firing: int
    shown: tuple[Message, ...]
    folded: tuple[Message, ...]

    @property
    def left_out(self) -> int:
        """Messages that only the journal has."""
        return self.total - len(self.shown) - len(self.folded)


def channels(stored: Stored) -> list[Channel]:
    """The busiest channel first; what was on trial last."""
    by_route: dict[str, list[Notified]] = defaultdict(list)
    for told in stored.outcome.notifications:
        by_route[told.route].append(told)
    found = [_channel(stored, route, told) for route, told in by_route.items()]
    return sorted(found, key=lambda c: (c.trial, -c.total, c.name))


def _channel(stored: Stored, route: str, told: list[Notified]) -> Channel:
    messages = [_message(stored, n) for n in told[:MOST]]
    firing = sum(n.status == "firing" for n in told)
    return Channel(route, told[0].dry_run, len(told), firing, tuple(messages[:SHOWN]), tuple(messages[SHOWN:]))


def _message(stored: Stored, told: Notified) -> Message:
    labels = {k: v for k, v in told.labels.items() if k not in ("alertname", "severity")}
    more = {k: v for k, v in told.annotations.items() if k not in _SAID}
    phases = [p.phase.value for p in stored.outcome.judgement.phases if p.start <= told.t]  # NaN: never begun
    return Message(
        status=told.status,
        alert=told.alert,
        severity=told.labels.get("severity", ""),
        at=time.strftime("%H:%M:%S", time.gmtime(told.t)),
        into=told.t - stored.header.started_at,
        phase=phases[-1] if phases else "",
        summary=told.annotations.get("summary", ""),
        description=told.annotations.get("description", ""),
        runbook=told.annotations.get("runbook_url", ""),
        fields=tuple({**labels, **more}.items()),
    )
