"""Days of latency, and rules judged on them as Prometheus would."""

from __future__ import annotations

import numpy as np
import pytest

from lab.days import DAY_S, STEP_S, play
from lab.rag.metrics import DURATION_BUCKETS
from lab.scenario import Load, Scenario, Study, Wait
from lab.study import rang_of

STUDY = Study(days=1, incident={"latency_ms": 900.0}, incident_length=Wait(simulated_s=600))
SCENARIO = Scenario(
    name="x", title="", onset=(), detected=(), damage=(), recovered=(), alerts=(), study=STUDY,
    load=Load(users=100, per_user=0.05),
    service={
        "llm_latency_ms": "290", "llm_swing_ms": "90", "llm_swing_period_s": Wait(simulated_s=150),
        "llm_noise_ms": "15", "llm_noise_tau_s": Wait(simulated_s=60), "llm_jitter": "0.03",
        "llm_min_ms": "200", "llm_max_ms": "390",
    },
)  # fmt: skip
NOON = DAY_S // 2 // STEP_S


@pytest.mark.parametrize(
    ("marks", "for_s", "expected"),
    [
        ("0110", 0, [(15, 45)]),
        ("0110", 10, [(30, 45)]),  # active at one evaluation, firing at the next
        ("0100", 10, []),
        ("0111", 30, [(45, 60)]),  # still firing at the end
        ("0110", 30, []),
        ("1101", 0, [(0, 30), (45, 60)]),
        ("0000", 0, []),
    ],
)
def test_for_as_prometheus_counts_it(marks: str, for_s: float, expected: list[tuple[float, float]]):
    found = rang_of(np.array([m == "1" for m in marks]), for_s)
    assert [(r.start, r.end) for r in found] == expected


def test_a_day_is_the_services_own_noise_with_an_incident_at_noon():
    days = play(SCENARIO, STUDY, 1, 0)
    assert len(days.counts) == DAY_S // STEP_S
    queries = np.diff(days.counts[:, -1]) + days.hits_per_step
    assert set(queries) == {75}, "5 a second"
    fast = days.counts[:, DURATION_BUCKETS.index(0.4)]
    assert fast[NOON - 1] == days.counts[NOON - 1, -1], "noise never takes over 400 ms"
    slow = days.counts[-1, -1] - fast[-1]
    assert slow == 600 / STEP_S * 45, "the incident's queries, and only those"
    assert days.incidents == ((43_200.0, 43_800.0),)


def test_the_same_seed_gives_the_same_days_and_another_seed_does_not():
    first, again, other = (play(SCENARIO, STUDY, seed, 0).counts for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_openmetrics_counts_as_the_service_does():
    days = play(SCENARIO, STUDY, 1, 1_000_000)
    texts = list(days.openmetrics(6))
    assert len(texts) == 4
    assert all(text.startswith("# TYPE ") and text.endswith("# EOF\n") for text in texts)
    lines = texts[0].splitlines()
    assert len(lines) == 2 + 2 * (len(DURATION_BUCKETS) + 2) * 6 * 3600 // STEP_S
    last = f'cache_status="miss",le="+Inf"}} {days.counts[6 * 240 - 1, -1]} {1_000_000 + 6 * 3600 - STEP_S}'
    assert any(line.endswith(last) for line in lines)
