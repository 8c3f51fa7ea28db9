"""What a run measured beside its delays: memory, growth, traffic, and the dashboard's queries. Pure; no I/O."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from lab import signals
from lab.endpoints import PATIENT
from lab.events import Deployed
from lab.history import History
from lab.journal import Header
from lab.scenario import Phase
from lab.view import SETTLE, phase_window

NEAR = 0.95
"""A head with so large a share of its largest is full."""
TELLING = 5_000
"""With fewer series than that, what they cost can't be told from what else a server takes."""
INGESTION_S = 10.0
"""Over less, the rate would say which scrapes happened to be in it."""


@dataclass(frozen=True)
class Measured:
    """Bytes, seconds, and rates per real second; None where the run did not measure it."""

    peak_rss_bytes: Mapping[str, float] = field(default_factory=dict)
    """The largest resident memory of each service that the host exporter saw."""
    series_per_s: float | None = None
    """Series that the patient's head gained per second, from the broken deployment until it was at its largest."""
    requests_per_s: float | None = None
    """Requests answered without error in the settled part of the steady phase: the mean."""
    latency_p95_s: float | None = None
    """95th percentile of the request latency in the settled part of the steady phase: the median of its seconds'."""
    series: float | None = None
    """The largest number of series in the patient's head."""
    bytes_per_series: float | None = None
    """Resident memory of the patient for each series that `broken/` brought; None where these are too few to tell."""
    samples_per_s: float | None = None
    """Samples that the patient stored per second while its head was near its largest; None where that was short."""
    scrape_s: float | None = None
    """The longest scrape of the patient meanwhile, the median of the samples."""
    query_p95_before_s: float | None = None
    """95th percentile of the dashboard's queries while `broken/` was live: the median of its seconds'."""
    query_p95_after_s: float | None = None
    """The same for `fixed/`."""


def measured(header: Header, history: History) -> Measured:
    """All of it from the samples of a run."""
    return Measured(
        peak_rss_bytes=_peaks(history),
        series_per_s=_growth(history),
        series=max((value for _, value in history.series(signals.HEAD_SERIES, 0.0, history.end)), default=None),
        bytes_per_series=_bytes_per_series(history),
        samples_per_s=_ingestion(history),
        scrape_s=_scrape(history),
        requests_per_s=_mean(_steady(header, history, signals.RPS)),
        latency_p95_s=_median(_steady(header, history, signals.P95_S)),
        query_p95_before_s=_median(_live(history, Phase.BROKEN, signals.PANEL_P95_S)),
        query_p95_after_s=_median(_live(history, Phase.FIXED, signals.PANEL_P95_S)),
    )


def _peaks(history: History) -> dict[str, float]:
    prefix = signals.rss("")
    names = sorted(name for name in history.names() if name.startswith(prefix))
    return {name.removeprefix(prefix): max([s.values.get(name, 0.0) for s in history.samples]) for name in names}


def _growth(history: History) -> float | None:
    window = phase_window(history, Phase.BROKEN)
    live = history.first(Deployed, what="broken")
    if window is None or live is None:
        return None
    points = history.series(signals.HEAD_SERIES, live.t, window[1])
    if not points:
        return None
    first, largest = points[0], max(points, key=lambda point: (point[1], -point[0]))
    return (largest[1] - first[1]) / (largest[0] - first[0]) if largest[0] > first[0] else 0.0


def _full(history: History) -> tuple[float, float] | None:
    """From when on the head is near its largest in `broken/`, until that phase ends."""
    window = phase_window(history, Phase.BROKEN)
    points = history.series(signals.HEAD_SERIES, *window[:2]) if window else []
    if window is None or not points:
        return None
    largest = max(value for _, value in points)
    return next(t for t, value in points if value >= NEAR * largest), window[1]


def _bytes_per_series(history: History) -> float | None:
    window, live = phase_window(history, Phase.BROKEN), history.first(Deployed, what="broken")
    memory = signals.rss(PATIENT)
    if window is None or live is None:
        return None
    before = history.value(memory, live.t), history.value(signals.HEAD_SERIES, live.t)
    after = [
        max((value for _, value in history.series(name, live.t, window[1])), default=None)
        for name in (memory, signals.HEAD_SERIES)
    ]
    if None in (*before, *after):
        return None
    (rss, series), (most, all_) = cast("list[tuple[float, float]]", [before, tuple(after)])
    return (most - rss) / (all_ - series) if all_ - series >= TELLING else None


def _ingestion(history: History) -> float | None:
    window = _full(history)
    points = _grown(history.series(signals.APPENDED, *window)) if window else []
    if len(points) < 2 or points[-1][0] - points[0][0] < INGESTION_S:
        return None
    return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])


def _grown(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of a counter that grows with each scrape the moments after one: from one to another there is no half scrape."""
    return [later for earlier, later in pairwise(points) if later[1] != earlier[1]]


def _scrape(history: History) -> float | None:
    window = _full(history)
    if window is None:
        return None
    names = [name for name in history.names() if name.startswith(signals.scrape_s(""))]
    medians = [_median([value for _, value in history.series(name, *window)]) for name in names]
    return max((value for value in medians if value is not None), default=None)


def _steady(header: Header, history: History, name: str) -> list[float]:
    window = phase_window(history, Phase.STEADY)
    if window is None:
        return []
    live = history.first(Deployed, window[0], what="healthy")
    begun = min(live.t if live else window[0], window[1])
    settled = min(begun + SETTLE.seconds(header.speed), window[1])
    return [value for _, value in history.series(name, settled, window[1])]


def _live(history: History, phase: Phase, name: str) -> list[float]:
    window = phase_window(history, phase)
    live = history.first(Deployed, what=phase.value)
    if window is None or live is None:
        return []
    return [value for _, value in history.series(name, live.t, window[1])]


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None
