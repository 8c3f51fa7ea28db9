"""What one open page is told: all of it at first and whenever there is a new line to draw, then a row a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from lab.classroom.live import Plotted, plotted
from lab.classroom.owner import Owner
from lab.errors import LabError
from lab.history import Sample

EVERY_S = 1.0


class Feed:
    """The events of one page, as the lines of a text/event-stream."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._charts: tuple[Plotted, ...] = ()
        self._known: set[str] = set()
        self._last = 0.0

    async def events(self) -> AsyncIterator[str]:
        """Until the page is closed or the owner ends."""
        yield "retry: 2000\n\n"
        yield _event("offers", [asdict(one) for one in await asyncio.to_thread(self._owner.offers)])
        while True:
            for one in self.fresh():
                yield one
            try:
                status = await asyncio.to_thread(self._owner.status)
                yield _event("status", {**status.to_json(), "turns": [asdict(turn) for turn in self._owner.turns]})
            except (LabError, KeyError):  # between two services: the next look will tell
                yield ": nothing\n\n"
            await asyncio.sleep(EVERY_S)

    def fresh(self) -> list[str]:
        """What is new since the last call: rows, or whole charts where there is a line that was not there before."""
        samples = self._owner.recent.since(self._last)
        if not samples:
            return []
        self._last = samples[-1].t
        names = {name for sample in samples for name in sample.values}
        if not names <= self._known:
            self._known |= names
            self._charts = plotted(self._known)
            return [_event("charts", self._whole(self._owner.recent.since(0.0)))]
        return [_event("row", self._row(sample)) for sample in samples]

    def _whole(self, samples: list[Sample]) -> dict[str, Any]:
        zero = self._owner.since
        return {"zero": zero, "charts": [chart.to_json(samples, zero) for chart in self._charts]}

    def _row(self, sample: Sample) -> dict[str, Any]:
        return {"t": round(sample.t - self._owner.since, 1), "values": [chart.row(sample) for chart in self._charts]}


def _event(name: str, value: Any) -> str:
    """JSON has no line breaks of its own, so one line of data holds it."""
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'), ensure_ascii=True, allow_nan=False)}\n\n"
