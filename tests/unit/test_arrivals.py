"""Users of the load generator begin spread over the time between two requests, however many they are."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from lab.loadgen import settings


def moments(monkeypatch: pytest.MonkeyPatch, users: int, rate: str) -> list[float]:
    """When each user makes its third request, on a clock that only sleeping moves."""
    monkeypatch.setenv("LAB_USER_RATE", rate)
    found = []
    for number in range(users):
        clock = Clock()
        monkeypatch.setitem(sys.modules, "gevent", SimpleNamespace(sleep=clock.sleep))
        monkeypatch.setattr(settings.time, "monotonic", lambda clock=clock: clock.now)
        user = SimpleNamespace()
        settings.arrive(user, number)
        for _ in range(2):
            clock.sleep(0.05)  # what the request takes
            clock.sleep(settings.pace(user))
        found.append(clock.now)
    return sorted(found)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("users", [2, 5, 20, 33, 100])
def test_no_part_of_the_time_between_two_requests_is_empty(monkeypatch: pytest.MonkeyPatch, users: int) -> None:
    period = 5.0
    found = moments(monkeypatch, users, "0.2")
    assert 2 * period <= found[0] and found[-1] < 3 * period
    around = [*found, found[0] + period]
    assert max(b - a for a, b in pairwise(around)) < 2.7 * period / users


def test_a_user_that_is_late_does_not_catch_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, user = Clock(), SimpleNamespace(due=0.0)
    monkeypatch.setenv("LAB_USER_RATE", "0.5")
    monkeypatch.setattr(settings.time, "monotonic", lambda: clock.now)
    clock.now = 7.0
    assert settings.pace(user) == 0.0
    assert settings.pace(user) == 2.0
