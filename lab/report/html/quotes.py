"""What the servers themselves said: error lines with file, line and time; failed scrapes; ends; smoke tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lab.conditions.logs import Seen
from lab.events import Event, Exited, LogSeen, ScrapeFailed, SmokeTested, Unmeasured
from lab.stored import Stored

MOST = 40


@dataclass(frozen=True)
class Quote:
    """A line in its source's own words. `before`, `key`, `behind`: the text, around what a check waited for."""

    where: str
    at: str
    into: float
    before: str
    key: str = ""
    behind: str = ""


def quotes(stored: Stored) -> list[Quote]:
    """In order of time, at most `MOST`; the same words of the same source only once."""
    found: dict[tuple[str, str], Quote] = {}
    wanted = [seen.text for seen in stored.found.scenario.conditions(Seen)]
    for event in sorted(stored.recording.history.events, key=lambda e: e.t):
        for where, text in _said(event):
            key = next((want for want in wanted if want in text), "")
            before, _, behind = text.partition(key) if key else (text, "", "")
            at = time.strftime("%H:%M:%S", time.gmtime(event.t))
            found.setdefault((where, text), Quote(where, at, event.t - stored.header.started_at, before, key, behind))
    return list(found.values())[:MOST]


def _said(event: Event) -> Iterator[tuple[str, str]]:
    if isinstance(event, LogSeen):
        yield f"{event.file}:{event.line}", event.text
    elif isinstance(event, ScrapeFailed):
        yield f"Prometheus, of its scrape of {event.job}", event.error
    elif isinstance(event, Exited):
        yield "the lab", f"{event.service} ended: {event.how}"
    elif isinstance(event, SmokeTested):
        yield f"lab lint smoke, exit code {event.code}", " ".join(event.said.split("\n"))
    elif isinstance(event, Unmeasured):
        yield "the lab", event.reason
