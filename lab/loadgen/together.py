"""What several workers tell their master, as one line. Pure: Locust is not needed to test it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LOST_S = 3.0
"""A worker that has told nothing for so many seconds is lost: it tells once a second."""

Told = Mapping[str, Any]
"""The figures of one second, as `lab.load.Figures` reads them."""


@dataclass
class Heard:
    """The last word of each worker, with the moment it came: clocks of other machines are not compared."""

    last: dict[str, tuple[float, Told]] = field(default_factory=dict)

    def take(self, worker: str, told: Told, now: float) -> None:
        """A worker told its last second."""
        self.last[worker] = (now, told)

    def fresh(self, now: float) -> list[Told]:
        """The words of the workers that are not lost."""
        return [told for at, told in self.last.values() if now - at < LOST_S]


def figures_of(workers: Sequence[Told], now: float) -> dict[str, Any]:
    """Users and rates add up; of latencies the worst; `workers`: how many of them there are."""
    line: dict[str, Any] = {"t": now, "workers": len(workers)}
    for name in ("users", "served", "failed"):
        line[name] = sum(told[name] for told in workers)
    line["p95_s"] = max((told["p95_s"] for told in workers), default=0.0)
    panels = [told for told in workers if "panel_p95_s" in told]
    if panels:
        for name in ("panel_served", "panel_failed"):
            line[name] = sum(told[name] for told in panels)
        line["panel_p95_s"] = max(told["panel_p95_s"] for told in panels)
        line["panel_error"] = next((told["panel_error"] for told in panels if told["panel_error"]), "")
        titles = sorted({title for told in panels for title in told["panel_titles"]})
        line["panel_titles"] = {t: sum(told["panel_titles"].get(t, 0.0) for told in panels) for t in titles}
    return line
