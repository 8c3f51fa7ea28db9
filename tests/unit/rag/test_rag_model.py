"""The mock model's latency and the provider's quota."""

import math
import statistics

import pytest

from lab.rag.errors import RateLimitedError
from lab.rag.latency import Latency, LatencyProfile
from lab.rag.quota import Quota

WANDERING = LatencyProfile(
    level_ms=290,
    jitter=0.05,
    swing_ms=90,
    swing_period_s=10,
    noise_ms=15,
    noise_tau_s=4,
    min_ms=200,
    max_ms=390,
)


def levels(seed: int, profile: LatencyProfile = WANDERING, seconds: int = 200) -> list[float]:
    latency = Latency(profile, seed)
    return [latency.level_ms(tenth / 10) for tenth in range(seconds * 10)]


def test_the_same_seed_gives_the_same_course():
    assert levels(1) == levels(1)
    assert levels(1) != levels(2)


def test_the_course_does_not_depend_on_how_often_it_is_asked():
    often, seldom = Latency(WANDERING, 1), Latency(WANDERING, 1)
    for tenth in range(1000):
        often.level_ms(tenth / 10)
    for second in range(0, 100, 10):
        seldom.level_ms(second)
    assert often.level_ms(100) == pytest.approx(seldom.level_ms(100))


def test_the_level_swings_around_its_mean():
    course = levels(1)
    assert statistics.mean(course) == pytest.approx(290, abs=15)
    assert max(course) > 360
    assert min(course) < 220


def test_the_drift_has_the_spread_that_was_asked_for():
    drift = levels(3, LatencyProfile(level_ms=0, noise_ms=15, noise_tau_s=4), seconds=4000)
    assert statistics.pstdev(drift) == pytest.approx(15, rel=0.15)
    assert statistics.mean(drift) == pytest.approx(0, abs=3)


def test_calls_stay_within_the_limits():
    latency = Latency(WANDERING, 1)
    calls = [latency.draw_s(tenth / 10) * 1000 for tenth in range(5000)]
    assert min(calls) == 200
    assert max(calls) == 390


def test_jitter_is_a_share_of_the_level():
    latency = Latency(LatencyProfile(level_ms=1000, jitter=0.05), 1)
    calls = [latency.draw_s(0) for _ in range(4000)]
    assert statistics.pstdev(calls) == pytest.approx(0.05, rel=0.1)


def test_a_fixed_level_replaces_the_wandering_one_and_its_limits():
    latency = Latency(WANDERING, 1)
    calls = [latency.draw_s(tenth / 10, level_ms=900) for tenth in range(1000)]
    assert statistics.mean(calls) == pytest.approx(0.9, rel=0.02)
    assert not any(math.isclose(call, 0.39) for call in calls)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_quota_is_renewed_with_each_window():
    clock = Clock()
    quota = Quota("p", 2, clock, window_s=60)
    quota.take()
    clock.now += 59
    quota.take()
    with pytest.raises(RateLimitedError) as caught:
        quota.take()
    assert caught.value.retry_after_s == pytest.approx(1)
    clock.now += 1
    assert quota.remaining() == 2
    clock.now += 600
    quota.take()
    assert quota.remaining() == 1


def test_a_lower_quota_counts_what_was_used():
    quota = Quota("p", 100, Clock())
    for _ in range(10):
        quota.take()
    quota.calls = 5
    assert quota.remaining() == 0
    quota.calls = 12
    assert quota.remaining() == 2
