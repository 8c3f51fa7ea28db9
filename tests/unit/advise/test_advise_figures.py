"""Money, memory and disk: the known figures, and that more of anything never costs less."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.advise.advice import advise
from lab.advise.case import DAY_MS, MOST, Case
from lab.advise.figures import Range
from lab.advise.footprint import PUBLISHED, Footprint
from lab.advise.growth import steps
from lab.advise.money import Option, managed, prices, self_run
from lab.advise.sizes import size
from lab.advise.sizing import Resources, resources
from lab.timescale.durations import Duration

GIB = 2**30
ROUND = Footprint(
    idle_bytes=100_000_000, bytes_per_series=4_000, bytes_per_sample=1.5, wal_bytes_per_sample=6, source="a test"
)
QUERIES = st.integers(0, MOST)
SERIES = st.integers(1, MOST)
DAYS = st.integers(1, 3650)


def days(number: int) -> Duration:
    return Duration(number * DAY_MS)


# Money


@pytest.mark.parametrize(("queries", "usd"), [
    (0, Range(50, 50)), (100, Range(50, 50)), (1_000, Range(100, 150)), (10_000, Range(200, 300)),
    (100_000, Range(500, 1_000)),
])  # fmt: skip
def test_prometheus_at_the_figures_that_are_known(queries: int, usd: Range) -> None:
    assert self_run(queries) == usd


def test_prometheus_between_two_of_them_and_beyond_the_last() -> None:
    assert self_run(3_162).low == pytest.approx(100 * math.sqrt(2), rel=1e-3)
    assert self_run(1_000_000).low == pytest.approx(1_250)
    assert not prices(Case(100_000))[Option.PROMETHEUS].extrapolated
    assert prices(Case(100_001))[Option.PROMETHEUS].extrapolated


@pytest.mark.parametrize(("queries", "hosts", "usd"), [
    (100_000, 1, Range(2_000, 5_000)), (0, 1, Range(15, 31)), (0, 4, Range(60, 124)), (5_000, 1, Range(100, 250)),
])  # fmt: skip
def test_a_managed_one(queries: int, hosts: int, usd: Range) -> None:
    assert managed(queries, hosts) == usd


def test_they_break_even_at_about_five_thousand_queries() -> None:
    def middle(usd: Range) -> float:
        return (usd.low + usd.high) / 2

    assert middle(managed(4_000, 1)) < middle(self_run(4_000))
    assert middle(managed(7_000, 1)) > middle(self_run(7_000))


@given(QUERIES, QUERIES)
def test_more_queries_never_cost_less(one: int, other: int) -> None:
    few, many = prices(Case(min(one, other))), prices(Case(max(one, other)))
    for option in Option:
        assert few[option].usd.low <= few[option].usd.high
        assert few[option].usd.low <= many[option].usd.low
        assert few[option].usd.high <= many[option].usd.high


# Memory and disk


def test_memory_and_disk_by_hand() -> None:
    need = resources(Case(0, series=150_000, scrape_interval=Duration(15_000), retention=days(10)), ROUND)
    assert need.samples_per_second == 10_000
    assert need.ram == 700_000_000  # 100 MB + 150,000 x 4 kB
    assert need.machine_ram == 1_400_000_000
    assert need.disk_per_day == pytest.approx(1.296e9)
    assert need.disk == pytest.approx(12.96e9 + 0.648e9)  # ten days of blocks, three hours of WAL
    assert need.volume == pytest.approx((12.96e9 + 0.648e9) / 0.8)


def test_older_samples_thinned_out() -> None:
    case = Case(0, series=1_000, scrape_interval=Duration(60_000), retention=days(100))
    samples = 15 * 1440 + 75 * 24 + 10
    assert resources(case, ROUND).tiered == pytest.approx(1_000 * samples * 1.5)


def test_a_slow_scrape_is_not_made_quicker_by_thinning_out() -> None:
    case = Case(0, series=10, scrape_interval=Duration(DAY_MS // 2), retention=days(100))
    assert resources(case, ROUND).tiered == pytest.approx(10 * 1.5 * (90 * 2 + 10))


def growing(need: Resources, more: Resources) -> bool:
    names = ("samples_per_second", "ram", "machine_ram", "disk_per_day", "disk", "volume", "tiered")
    slack = 1 + 1e-12  # of the last bit of a sum
    return all(getattr(need, name) <= getattr(more, name) * slack for name in names)


@given(SERIES, SERIES, DAYS, st.integers(1, 86_400))
def test_more_series_never_need_less(one: int, other: int, kept: int, interval: int) -> None:
    case = Case(0, series=min(one, other), scrape_interval=Duration(interval * 1000), retention=days(kept))
    assert growing(resources(case, ROUND), resources(replace(case, series=max(one, other)), ROUND))


@given(SERIES, DAYS, DAYS, st.integers(1, 86_400))
def test_longer_retention_never_needs_less(series: int, one: int, other: int, interval: int) -> None:
    case = Case(0, series=series, scrape_interval=Duration(interval * 1000), retention=days(min(one, other)))
    assert growing(resources(case, ROUND), resources(replace(case, retention=days(max(one, other))), ROUND))


@given(SERIES, DAYS, st.integers(1, 86_400), st.integers(1, 86_400))
def test_more_scrapes_never_need_less(series: int, kept: int, one: int, other: int) -> None:
    case = Case(0, series=series, scrape_interval=Duration(max(one, other) * 1000), retention=days(kept))
    often = replace(case, scrape_interval=Duration(min(one, other) * 1000))
    assert growing(resources(case, ROUND), resources(often, ROUND))


@given(SERIES, DAYS, st.integers(1, 86_400))
def test_thinning_out_never_needs_more(series: int, kept: int, interval: int) -> None:
    need = resources(Case(0, series=series, scrape_interval=Duration(interval * 1000), retention=days(kept)), ROUND)
    assert need.tiered <= need.disk * (1 + 1e-12)


@given(QUERIES, SERIES, DAYS)
def test_an_advice_holds_for_every_case(queries: int, series: int, kept: int) -> None:
    found = advise(Case(queries, operator=True, series=series, retention=days(kept)), PUBLISHED)
    assert found.decision.reasons
    assert [price.option for price in found.prices] == list(Option)
    assert bool(found.remote_write) == any("remote write" in step for step in found.steps)


# Past one server


def said(case: Case) -> str:
    return "\n".join(steps(case, resources(case, ROUND)))


@pytest.mark.parametrize(("series", "told"), [(1_000_000, False), (1_000_001, True)])
def test_recording_rules_above_a_million_series(series: int, told: bool) -> None:
    assert ("recording rules" in said(Case(0, series=series, scrape_interval=Duration(60_000)))) is told


@pytest.mark.parametrize(("kept", "told"), [(15, False), (16, True)])
def test_remote_write_beyond_fifteen_days(kept: int, told: bool) -> None:
    assert ("hourly until 90 days, daily beyond" in said(Case(0, series=10, retention=days(kept)))) is told


@pytest.mark.parametrize(("series", "kept", "beyond"), [
    (8_000_000, 1, ""), (9_000_000, 1, "67 GiB of memory are"), (4_000_000, 365, "TiB of disk are"),
    (20_000_000, 365, "GiB of memory and"),
])  # fmt: skip
def test_more_than_one_server(series: int, kept: int, beyond: str) -> None:
    told = said(Case(0, series=series, scrape_interval=Duration(60_000), retention=days(kept)))
    assert beyond in told
    assert ("federation, or remote write to Thanos" in told) is bool(beyond)


def test_two_replicas_whatever_the_size() -> None:
    assert said(Case(0, series=1)) == ("two replicas that scrape the same: one Prometheus is a single point of failure")


@pytest.mark.parametrize(("bytes_", "text"), [
    (0, "0 B"), (999, "999 B"), (1_000, "1.0 KiB"), (1.5 * GIB, "1.5 GiB"), (999 * GIB, "999 GiB"),
    (1_000 * GIB, "1.0 TiB"), (5_000 * 1024 * GIB, "5,000 TiB"),
])  # fmt: skip
def test_sizes_for_people(bytes_: float, text: str) -> None:
    assert size(bytes_) == text
