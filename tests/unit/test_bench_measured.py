"""What a run measured beside its delays: which seconds count, and in which unit."""

from __future__ import annotations

from typing import Any

import pytest
from histories import header, sampled

from lab.events import Deployed, Event, PhaseEnded, PhaseStarted
from lab.history import History
from lab.measured import Measured, measured

EVENTS: tuple[Event, ...] = (
    PhaseStarted(2.0, "steady"), Deployed(4.0, "healthy"), PhaseEnded(20.0, "steady"),
    PhaseStarted(20.0, "broken"), Deployed(24.0, "broken"), PhaseEnded(40.0, "broken"),
    PhaseStarted(40.0, "fixed"), Deployed(44.0, "fixed"), PhaseEnded(60.0, "fixed"),
)  # fmt: skip
SETTLED = 10
"""At speed 15 a deployment's gap is 2 + 4 s."""


def of(points: dict[str, Any], events: tuple[Event, ...] = EVENTS) -> Measured:
    return measured(header(), History(sampled(points, 70), list(events)))


def test_peak_memory_is_the_largest_of_each_service_in_the_whole_run() -> None:
    found = of({"rss_bytes:rag": lambda t: 100.0 + (900 if t == 65 else 0), "rss_bytes:prometheus": lambda t: 5.0 + t})
    assert found.peak_rss_bytes == {"prometheus": 74.0, "rag": 1000.0}


def test_requests_are_those_of_the_settled_steady_phase() -> None:
    rate = of({"requests_per_s": lambda t: 600.0 if SETTLED <= t <= 20 else 1.0}).requests_per_s
    assert rate == 600.0


def test_one_slow_second_is_not_the_latency() -> None:
    found = of({"latency_p95_s": lambda t: 9.0 if t in (15, SETTLED - 1, 21) else 0.01})
    assert found.latency_p95_s == 0.01


def test_growth_is_from_the_broken_deployment_to_the_largest_head() -> None:
    found = of({"head_series": lambda t: 100.0 + 50 * max(0, min(t, 34) - 24) - max(0, t - 34)})
    assert found.series_per_s == 50.0
    assert of({"head_series": lambda t: 100.0 - t}).series_per_s == 0.0


def test_queries_before_and_after_the_fix() -> None:
    found = of({"panel_p95_s": lambda t: 1.0 if 24 <= t <= 40 else 0.02 if 44 <= t <= 60 else 7.0})
    assert (found.query_p95_before_s, found.query_p95_after_s) == (1.0, 0.02)


@pytest.mark.parametrize("events", [(), EVENTS[:1], EVENTS[:4], EVENTS])
def test_what_was_not_measured_is_not_zero(events: tuple[Event, ...]) -> None:
    assert of({"up:rag": lambda t: 1.0}, events) == Measured()
