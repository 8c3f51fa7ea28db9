"""A dashboard file as Grafana writes it, as far as its viewers' queries go. Pure; no heavy imports (Locust uses it)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_POINTS = 1000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Panel:
    """A panel: its title, its queries, and how many points it asks for at most."""

    title: str
    exprs: tuple[str, ...]
    points: int


@dataclass(frozen=True)
class Dashboard:
    """What a viewer's browser asks for: the panels over the last `range_s` seconds, every `refresh_s` seconds."""

    panels: tuple[Panel, ...]
    range_s: float
    refresh_s: float

    def step_s(self, panel: Panel) -> float:
        """Seconds between two points of a panel."""
        return max(1.0, float(round(self.range_s / panel.points)))


NONE = Dashboard((), 3600.0, 5.0)
"""Nothing to look at; a viewer looks again soon."""


def parse(text: str) -> Dashboard:
    """Raises `ValueError` in one line where it is no dashboard."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("panels", []), list):
        raise ValueError("not a dashboard: an object with a list of panels")
    begin = str((found.get("time") or {}).get("from", "now-1h"))
    if not begin.startswith("now-"):
        raise ValueError(f"time.from is {begin!r}: give a range that ends now, such as now-24h")
    panels = tuple(_panel(p) for p in found.get("panels", []) if isinstance(p, dict) and p.get("type") != "row")
    return Dashboard(panels, _seconds(begin.removeprefix("now-")), _seconds(str(found.get("refresh") or "30s")))


def _panel(found: Mapping[str, Any]) -> Panel:
    targets = [t for t in found.get("targets") or [] if isinstance(t, dict)]
    exprs = tuple(str(t["expr"]) for t in targets if t.get("expr"))
    return Panel(str(found.get("title", "")), exprs, max(1, int(found.get("maxDataPoints") or DEFAULT_POINTS)))


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise ValueError(f"{text!r} is no length of time such as 24h")
    return int(match[1]) * _UNITS[match[2]]
