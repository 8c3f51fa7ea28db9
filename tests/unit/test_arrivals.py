"""Users of the load generator begin spread over the time between two requests, however many they are."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from lab.loadgen import settings


def moments(monkeypatch: pytest.MonkeyPatch, users: int, rate: str) -> list[float]:
    slept: list[float] = []
    monkeypatch.setitem(sys.modules, "gevent", SimpleNamespace(sleep=slept.append))
    monkeypatch.setenv("LAB_USER_RATE", rate)
    for number in range(users):
        settings.arrive(number)
    return sorted(slept)


@pytest.mark.parametrize("users", [2, 5, 20, 33, 100])
def test_no_part_of_the_time_between_two_requests_is_empty(monkeypatch: pytest.MonkeyPatch, users: int) -> None:
    period = 5.0
    found = moments(monkeypatch, users, "0.2")
    assert 0.0 <= found[0] and found[-1] < period
    around = [*found, found[0] + period]
    assert max(b - a for a, b in pairwise(around)) < 2.7 * period / users
