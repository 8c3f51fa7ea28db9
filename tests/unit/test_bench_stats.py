"""The statistics: known values, enumeration as the oracle, and how often an interval holds the truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lab.bench.stats import change_interval, holm, least_p, rank_sum_p, summary


def enumerated(before: list[float], now: list[float]) -> float:
    """The test by its definition: every way to call some of the values "before" is as likely."""
    both = [*before, *now]
    ranks = [sum(v < w for v in both) + (sum(v == w for v in both) + 1) / 2 for w in both]
    middle = len(before) * (len(both) + 1) / 2
    far = abs(sum(ranks[: len(before)]) - middle)
    sums = [abs(sum(chosen) - middle) for chosen in itertools.combinations(ranks, len(before))]
    return sum(s >= far - 1e-9 for s in sums) / len(sums)


@pytest.mark.parametrize("seed", range(12))
def test_the_rank_sum_test_is_exact_with_ties_and_unequal_sizes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2, 7, 2)
    values = rng.integers(0, 4 if seed % 2 else 100, n + m).astype(float).tolist()
    assert rank_sum_p(values[:n], values[n:]) == pytest.approx(enumerated(values[:n], values[n:]))


@pytest.mark.parametrize(("before", "now", "p"), [
    ([1, 2, 3], [4, 5, 6], 0.1), ([4, 5, 6], [1, 2, 3], 0.1), ([1, 1, 1], [1, 1, 1], 1.0),
    ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 2 / 252), ([], [1.0], 1.0), ([1.0], [], 1.0),
])  # fmt: skip
def test_known_p_values(before: list[float], now: list[float], p: float) -> None:
    assert rank_sum_p(before, now) == pytest.approx(p)


def test_many_runs_are_counted_without_overflow() -> None:
    values = [float(v) for v in range(200)]
    assert rank_sum_p(values[::2], values[1::2]) == pytest.approx(0.90, abs=0.01)
    assert 0 < rank_sum_p(values[:100], values[100:]) < 1e-30


def test_the_least_p_is_that_of_samples_that_do_not_overlap() -> None:
    for n, m in ((3, 3), (5, 4), (10, 10)):
        assert least_p(n, m) == pytest.approx(rank_sum_p(range(n), range(n, n + m)))


def test_holm_steps_down_and_never_goes_back() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_summary_tells_median_spread_and_interval() -> None:
    found = summary([4.0, 1.0, 2.0, 3.0, 100.0])
    assert (found.runs, found.median, found.spread) == (5, 3.0, 2.0)
    assert found.low <= 3.0 <= found.high <= 100.0
    assert found == summary([4.0, 1.0, 2.0, 3.0, 100.0])
    assert summary([7.0]).low == summary([7.0]).high == 7.0
    with pytest.raises(ValueError, match="no values"):
        summary([])


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    draws = [summary(rng.lognormal(0.0, 0.3, 15).tolist()) for _ in range(150)]
    assert 0.88 <= sum(d.low <= 1.0 <= d.high for d in draws) / len(draws) <= 0.99


def test_the_interval_of_a_change_is_about_the_change() -> None:
    rng = np.random.default_rng(6)
    before, now = rng.normal(10, 0.4, 10).tolist(), rng.normal(13, 0.5, 10).tolist()
    found = change_interval(before, now)
    assert found is not None
    assert 0.2 < found[0] < 0.3 < found[1] < 0.4
    assert change_interval([0.0, 0.0], [1.0, 1.0]) is None
