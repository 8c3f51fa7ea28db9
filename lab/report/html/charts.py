"""The charts: which samples make one, and how many of them become few points so that nothing is lost to the eye."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import isfinite
from typing import Any

from lab import signals
from lab.conditions.values import Threshold
from lab.events import Notified
from lab.history import History
from lab.report.html.figures import Figures, figures
from lab.report.html.marks import bands
from lab.scenario import Scenario
from lab.stored import Stored
from lab.text import clean

POINTS = 700
"""Steps of the time axis in which a chart keeps the least and the greatest value; about a pixel each."""


@dataclass(frozen=True)
class Spec:
    """A chart: exact names of samples with what they are called, or a prefix whose rest is what they are called."""

    id: str
    title: str
    unit: str
    names: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    stepped: bool = False


USED = "disk_used_percent"
"""Made of two samples: the volume after a fix may be another, so that bytes would not compare."""

SPECS = (
    Spec("series", "Series in the head of Prometheus", "count", ((signals.HEAD_SERIES, "patient"),)),
    Spec("disk", "Disk of Prometheus, share of its volume", "percent", ((USED, "used"),)),
    Spec("rss", "Resident memory", "bytes", prefix=signals.rss("")),
    Spec(
        "requests", "Requests a second", "count",
        ((signals.RPS, "served"), (signals.FAILURES, "failed")),
    ),
    Spec("p95", "Latency of the service, p95", "seconds", ((signals.P95_S, "p95"),)),
    Spec("panels", "Latency of the dashboard's queries, p95", "seconds", ((signals.PANEL_P95_S, "p95"),)),
    Spec(
        "panel_rate", "Panels of the dashboard a second", "count",
        ((signals.PANEL_SERVED, "answered"), (signals.PANEL_FAILED, "error or no data")),
    ),
    Spec("scrape", "Duration of a scrape", "seconds", prefix=signals.scrape_s("")),
    Spec("exposed", "Samples on a metrics page", "count", prefix=signals.exposed("")),
    Spec("up", "Target is up, in the patient's eyes", "state", prefix=signals.up(""), stepped=True),
    Spec("counted", "Queries counted, as Prometheus answers", "count", ((signals.COUNTED, "sum of the counter"),)),
    Spec("spent", "US dollars in the service's books since its start", "count", ((signals.SPENT_USD, "spent"),)),
)  # fmt: skip
"""In the order of the page; a chart without samples is left away."""


@dataclass(frozen=True)
class Line:
    """One line of a chart, at the chart's moments; None where nothing was answered."""

    label: str
    values: list[float | None]


@dataclass(frozen=True)
class Chart:
    """A chart with its data; `x` in seconds of the run. `limits`: thresholds of checks."""

    id: str
    title: str
    unit: str
    stepped: bool
    x: list[float]
    lines: list[Line]
    limits: list[float] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As the page's script takes it."""
        return {
            "id": self.id, "title": self.title, "unit": self.unit, "stepped": self.stepped, "limits": self.limits,
            "labels": [line.label for line in self.lines],
            "data": [self.x, *(line.values for line in self.lines)],
        }  # fmt: skip


def _specs(history: History) -> tuple[Spec, ...]:
    """Those of every run, and one for each figure that a check of this run's scenario asked for: units differ."""
    begin = signals.figure("")
    asked = sorted(name for name in history.names() if name.startswith(begin))
    labels = [clean(name.removeprefix(begin)) for name in asked]
    own = (Spec(f"asked-{n}", t[:1].upper() + t[1:], "count", ((asked[n], t),)) for n, t in enumerate(labels))
    return (*SPECS, *own)


def charts(stored: Stored) -> list[Chart]:
    """All charts that have something to show."""
    history, zero = stored.recording.history, stored.header.started_at
    specs = _specs(history)
    columns = _columns(history, specs)
    times = [round(sample.t - zero, 3) for sample in history.samples]
    phases = bands(stored)
    found: list[Chart] = []
    for spec in specs:
        names = [(label, columns[name]) for name, label in spec.names if name in columns]
        if spec.prefix:
            rest = sorted(n for n in columns if n.startswith(spec.prefix))
            names += [(clean(n.removeprefix(spec.prefix)), columns[n]) for n in rest]
        if names and any(value is not None for _, column in names for value in column):
            x, lines = thin(times, [column for _, column in names])
            told = [Line(label, values) for (label, _), values in zip(names, lines, strict=True)]
            limits = _limits(stored.found.scenario, {name for name, _ in spec.names}, stored.header.speed)
            rows = figures(spec.unit, times, names, phases)
            found.append(Chart(spec.id, spec.title, spec.unit, spec.stepped, x, told, limits, rows))
    messages = _messages(stored)
    return [*found, messages] if messages else found


def _columns(history: History, specs: Sequence[Spec]) -> dict[str, list[float | None]]:
    """Samples by name, all as long as there are moments; infinities and NaN are no answer."""
    wanted = {n for n in history.names() for s in specs if (s.prefix and n.startswith(s.prefix)) or n in dict(s.names)}
    columns: dict[str, list[float | None]] = {}
    for name in wanted:
        answers = [sample.values.get(name) for sample in history.samples]
        columns[name] = [value if value is not None and isfinite(value) else None for value in answers]
    sizes = [(s.values.get(signals.DISK_USED_BYTES), s.values.get(signals.DISK_SIZE_BYTES)) for s in history.samples]
    if any(size for _, size in sizes):
        columns[USED] = [100 * used / size if used is not None and size else None for used, size in sizes]
    return columns


def thin(
    x: Sequence[float], columns: Sequence[Sequence[float | None]], points: int = POINTS
) -> tuple[list[float], list[list[float | None]]]:
    """At most two points a step of the axis: the least and the greatest value, in the order they came.

    A step in which a line has no value keeps none: gaps stay gaps.
    """
    if len(x) <= 2 * points:
        return list(x), [[_short(v) for v in column] for column in columns]
    bounds = list(_steps(x, points))
    thinned = [[v for low, high in bounds for v in _extremes(column[low:high])] for column in columns]
    moments = [moment for low, high in bounds for moment in (x[low], x[(low + high) // 2])]
    return moments, thinned


def _steps(x: Sequence[float], points: int) -> Iterator[tuple[int, int]]:
    """Index ranges of the steps of equal time that have samples; together they are all of `x`."""
    width = (x[-1] - x[0]) / points or 1.0
    low = 0
    while low < len(x):
        high = max(low + 1, bisect_left(x, x[low] + width, low))
        yield low, high
        low = high


def _extremes(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [v for v in values if v is not None]
    if not known:
        return None, None
    least, greatest = min(known), max(known)
    first, then = (least, greatest) if known.index(least) <= known.index(greatest) else (greatest, least)
    return _short(first), _short(then)


def _short(value: float | None) -> float | None:
    """Six significant digits: more can't be seen, and each is a byte."""
    if value is None:
        return None
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() else short


def _limits(scenario: Scenario, names: set[str], speed: float) -> list[float]:
    """The thresholds that the scenario's checks hold against these samples."""
    conditions = (c.condition for c in (*scenario.onset, *scenario.damage, *scenario.recovered))
    return sorted({c.level(speed) for c in conditions if isinstance(c, Threshold) and c.signal in names})


def _messages(stored: Stored) -> Chart | None:
    """How many messages people were sent so far."""
    history, zero = stored.recording.history, stored.header.started_at
    moments = sorted(n.t - zero for n in history.of(Notified) if not n.dry_run)
    if not moments:
        return None
    ends = [sample.t - zero for sample in (history.samples[:1] + history.samples[-1:])] or moments
    x = [round(t, 3) for t in (min(ends[0], moments[0]), *moments, max(ends[-1], moments[-1]))]
    counts = [0.0, *(float(n) for n in accumulate(1 for _ in moments)), float(len(moments))]
    x, (values,) = thin(x, [counts])
    return Chart("told", "Notifications sent so far", "whole", True, x, [Line("notifications", values)])
