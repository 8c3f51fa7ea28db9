"""Days of the service's latency as its own histogram would have recorded them, at production scrape intervals.

The level comes from the service's own model of latency, so it wanders as it does in a live run; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.per_time import PerTime
from lab.rag.latency import Latency, LatencyProfile
from lab.rag.metrics import DURATION_BUCKETS
from lab.scenario import Scenario, Study, Wait
from lab.services.rag import options
from lab.view import SCRAPE

DAY_S = 86_400
STEP_S = int(SCRAPE.simulated_s)
LOOKS = 5
"""How often within a scrape interval the level is taken."""
OVERHEAD_S = 0.003
"""What a query takes beside the model."""
HIT_S = 0.002
"""What a query takes that the cache answers."""
METRIC = "rag_query_duration_seconds"
LABELS = 'job="rag",instance="rag:8001",endpoint="/query"'


@dataclass(frozen=True)
class Days:
    """Cumulative bucket counts at each scrape: `counts[step, bucket]`, the last bucket +Inf. `start`: Unix seconds."""

    start: int
    counts: NDArray[np.int64]
    hits_per_step: int
    incidents: tuple[tuple[float, float], ...]

    @property
    def end(self) -> int:
        """Unix seconds of the last scrape."""
        return self.start + (len(self.counts) - 1) * STEP_S

    def openmetrics(self, hours: float) -> Iterator[str]:
        """Texts that `promtool tsdb create-blocks-from openmetrics` takes, of so many hours each."""
        size = int(hours * 3600 / STEP_S)
        for first in range(0, len(self.counts), size):
            yield "".join(self._text(first, min(first + size, len(self.counts))))

    def _text(self, first: int, last: int) -> Iterator[str]:
        times = [f" {self.start + step * STEP_S}\n" for step in range(first, last)]
        yield f"# TYPE {METRIC} histogram\n"
        bounds = [*(f"{float(bound)}" for bound in DURATION_BUCKETS), "+Inf"]
        for status in ("miss", "hit"):
            labels = f'{LABELS},cache_status="{status}"'
            for number, bound in enumerate(bounds):
                name = f'{METRIC}_bucket{{{labels},le="{bound}"}} '
                values = self._values(status, number, first, last)
                yield from (name + str(v) + t for v, t in zip(values, times, strict=True))
            name = f"{METRIC}_count{{{labels}}} "
            yield from (name + str(v) + t for v, t in zip(values, times, strict=True))  # as many as in +Inf
        yield "# EOF\n"

    def _values(self, status: str, bucket: int, first: int, last: int) -> list[int]:
        if status == "miss":
            return [int(v) for v in self.counts[first:last, bucket]]
        return [self.hits_per_step * step for step in range(first, last)]


def play(scenario: Scenario, study: Study, seed: int, start: int) -> Days:
    """Play a scenario's latency forward over the days of its study, from `start` (Unix seconds) on."""
    profile = _profile(scenario.service)
    steps = study.days * DAY_S // STEP_S
    queries = scenario.load.rate(1) * STEP_S
    misses = max(1, round(queries * (1 - study.cached) / LOOKS))
    wandering = Latency(profile, seed)
    looks = np.arange(steps * LOOKS) * (STEP_S / LOOKS)
    level = np.array([wandering.level_ms(float(t)) for t in looks])
    jitter = 1 + profile.jitter * np.random.default_rng(seed).standard_normal((len(level), misses))
    calls = np.clip(level[:, None] * jitter, profile.min_ms, profile.max_ms)
    noons = [(day + 0.5) * DAY_S for day in range(study.days)]
    incidents = [(noon, noon + study.incident_length.simulated_s) for noon in noons]
    for begin, end in incidents:
        within = (looks >= begin) & (looks < end)
        calls[within] = study.incident["latency_ms"] * jitter[within]
    durations = (calls / 1000 + OVERHEAD_S).reshape(steps, -1)
    per_step = np.stack([(durations <= bound).sum(axis=1) for bound in (*DURATION_BUCKETS, np.inf)], axis=1)
    return Days(
        start,
        np.cumsum(per_step, axis=0, dtype=np.int64),
        round(queries * study.cached),
        tuple((start + begin, start + end) for begin, end in incidents),
    )


def _profile(service: Mapping[str, str | Wait | PerTime]) -> LatencyProfile:
    """The service's options, in production time."""
    found: dict[str, Any] = {}
    told = options(service, 1.0)
    for field in fields(LatencyProfile):
        option = "llm_latency_ms" if field.name == "level_ms" else f"llm_{field.name}"
        text = told.get(option)
        if text is not None:
            found[field.name] = float(text)
    return LatencyProfile(**found)
