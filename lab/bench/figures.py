"""The figures of a run that are compared, each with its unit, its better direction and the least change that counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.outcome import Outcome

MIB = float(2**20)
PATIENT, SERVICE = "prometheus", "rag"
"""Whose memory is compared: the server that is ill, and the service."""


@dataclass(frozen=True)
class Figure:
    """One figure, as the tables name it."""

    name: str
    title: str
    unit: str
    least: float
    """A difference of medians below this, in the figure's unit, is no change: the lab does not measure finer."""
    take: Callable[[Outcome], float | None]
    higher_is_better: bool = False


def _peak(service: str) -> Callable[[Outcome], float | None]:
    def take(found: Outcome) -> float | None:
        peak = found.measured.peak_rss_bytes.get(service)
        return None if peak is None else peak / MIB

    return take


FIGURES = (
    Figure("time_to_detect_s", "time to detect", "s", 0.25, lambda o: o.delays.time_to_detect_s),
    Figure("signal_delay_s", "signal delay", "s", 0.25, lambda o: o.delays.signal_delay_s),
    Figure("pipeline_delay_s", "pipeline delay", "s", 0.25, lambda o: o.delays.pipeline_delay_s),
    Figure("time_to_recover_s", "time to recover", "s", 1.0, lambda o: o.delays.time_to_recover_s),
    Figure("overhead_s", "overhead", "s", 0.25, lambda o: o.overhead_s),
    Figure("peak_rss_patient_mib", f"peak RSS of {PATIENT}", "MiB", 4.0, _peak(PATIENT)),
    Figure("peak_rss_service_mib", f"peak RSS of {SERVICE}", "MiB", 4.0, _peak(SERVICE)),
    Figure("series_per_s", "series/s", "/s", 5.0, lambda o: o.measured.series_per_s, higher_is_better=True),
    Figure("requests_per_s", "requests/s", "/s", 1.0, lambda o: o.measured.requests_per_s, higher_is_better=True),
    Figure("latency_p95_s", "request p95", "s", 0.001, lambda o: o.measured.latency_p95_s),
    Figure("query_p95_before_s", "query p95, broken", "s", 0.001, lambda o: o.measured.query_p95_before_s),
    Figure("query_p95_after_s", "query p95, fixed", "s", 0.001, lambda o: o.measured.query_p95_after_s),
)
"""In the order of the tables. A changed number of figures changes the correction, not the files."""

BY_NAME = {figure.name: figure for figure in FIGURES}


def figures_of(found: Outcome) -> dict[str, float]:
    """What a run has of them, rounded to six digits; what it did not measure is not there."""
    taken = {figure.name: figure.take(found) for figure in FIGURES}
    return {name: float(f"{value:.6g}") for name, value in taken.items() if value is not None}
