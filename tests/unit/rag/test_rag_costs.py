"""Money: whole nano-dollars, by hour and by day, and what they come to."""

import asyncio
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.rag.cost_report import cost_report
from lab.rag.cost_tracker import CostTracker
from lab.rag.costs import Batch, MemoryCosts, day_of, hour_of, report, usd
from lab.rag.costs_cli import render, show_costs
from lab.rag.errors import CostsUnavailableError, UnknownModelError
from lab.rag.local import free_ports
from lab.rag.pricing import NANO, PRICES, PriceList
from lab.rag.record import QueryRecord

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def paid(*charges: tuple[str, int]) -> QueryRecord:
    return QueryRecord("q", "u", "t", "/query", "miss", "gpt-4o", "success", 0.0, 0.1, charges=charges)


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("model", "input_usd", "output_usd"),
    [
        ("gpt-4o", 5, 15),
        ("gpt-4o-mini", "0.15", "0.6"),
        ("gpt-3.5-turbo", "0.5", "1.5"),
        ("text-embedding-3-small", "0.02", 0),
    ],
)
def test_a_million_tokens_cost_what_the_price_list_says(model, input_usd, output_usd):
    prices = PriceList()
    assert prices.charge(model, 1_000_000, 0) == Fraction(input_usd) * NANO
    assert prices.charge(model, 0, 1_000_000) == Fraction(output_usd) * NANO


def test_an_unknown_model_is_an_error():
    with pytest.raises(UnknownModelError, match="gpt-9"):
        PriceList().charge("gpt-9", 1, 1)


@given(
    calls=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=50),
    model=st.sampled_from(sorted(PRICES)),
    thousandths=st.integers(1, 5000),
)
def test_rounding_never_adds_up_to_a_nano_dollar(calls, model, thousandths):
    prices = PriceList(thousandths / 1000)
    booked = sum(prices.charge(model, *tokens) for tokens in calls)
    price = PRICES[model]
    exact = sum(Fraction(taken * price.input_nano + given * price.output_nano, 1_000_000) for taken, given in calls)
    assert 0 <= exact * Fraction(thousandths, 1000) - booked < 1


def test_amounts_are_shown_exactly():
    assert usd(1) == "0.000000001"
    assert usd(12_345_678_901) == "12.345678901"


def run(clock: Clock, *steps):
    """Record each (moment, model, nano) at its moment, then report at the clock's last."""

    async def go():
        tracker = CostTracker(MemoryCosts(), clock)
        for moment, model, nano in steps:
            clock.now = moment
            tracker.record(paid((model, nano)))
        return tracker

    return asyncio.run(go())


def report_at(tracker: CostTracker, clock: Clock, moment: datetime):
    clock.now = moment
    return asyncio.run(tracker.report())


def test_an_hour_rolls_over():
    clock = Clock()
    tracker = run(clock, (NOON, "gpt-4o", 3600))
    assert report_at(tracker, clock, NOON).last_hour == 3600
    # At 13:15 the last hour began at 12:15, so it holds three quarters of that bucket.
    assert report_at(tracker, clock, NOON + timedelta(minutes=45)).last_hour == 2700
    later = report_at(tracker, clock, NOON + timedelta(hours=2))
    assert (later.last_hour, later.last_24h, later.last_7d) == (0, 3600, 3600)


def test_a_query_is_booked_in_the_hour_in_which_it_was_made():
    clock = Clock()
    tracker = run(clock, (NOON.replace(minute=59, second=59), "gpt-4o", 100))
    clock.now = NOON + timedelta(minutes=31)
    asyncio.run(tracker.flush())
    assert asyncio.run(tracker.store.hours([hour_of(NOON), hour_of(clock.now)])) == [{"gpt-4o": 100}, {}]


def test_a_day_rolls_over():
    clock = Clock()
    tracker = run(clock, (NOON, "gpt-4o", 700), (NOON + timedelta(days=1), "gpt-4o", 300))
    found = report_at(tracker, clock, NOON + timedelta(days=1, hours=1))
    assert (found.last_24h, found.last_7d) == (300, 1000)
    days = [day_of(NOON), day_of(NOON) + timedelta(days=1)]
    assert asyncio.run(tracker.store.days(days)) == [{"gpt-4o": 700}, {"gpt-4o": 300}]


def test_hours_are_kept_for_seven_days_and_days_for_thirty():
    store = MemoryCosts()

    async def book(moment: datetime) -> None:
        await store.add(Batch(str(moment), hour_of(moment), {"gpt-4o": 5}))

    async def kept(moment: datetime):
        return await store.hours([hour_of(NOON)]), await store.days([day_of(NOON)])

    asyncio.run(book(NOON))
    asyncio.run(book(NOON + timedelta(days=6, hours=23)))
    assert asyncio.run(kept(NOON)) == ([{"gpt-4o": 5}], [{"gpt-4o": 5}])
    asyncio.run(book(NOON + timedelta(days=8)))
    assert asyncio.run(kept(NOON)) == ([{}], [{"gpt-4o": 5}])
    asyncio.run(book(NOON + timedelta(days=32)))
    assert asyncio.run(kept(NOON)) == ([{}], [{}])


def test_what_is_older_than_seven_days_is_not_reported():
    clock = Clock()
    tracker = run(clock, (NOON, "gpt-4o", 10))
    assert report_at(tracker, clock, NOON + timedelta(days=6)).last_7d == 10
    assert report_at(tracker, clock, NOON + timedelta(days=7, hours=2)).last_7d == 0


def test_projections_average_over_days_that_have_data():
    clock = Clock()
    tracker = run(clock, (NOON - timedelta(days=4), "gpt-4o", 100), (NOON, "gpt-4o", 150), (NOON, "gpt-4o-mini", 50))
    found = report_at(tracker, clock, NOON)
    assert (found.days_with_data, found.projected_day) == (2, 150)
    shown = cost_report(found)
    assert shown.projected_month.nano_usd == 150 * 30
    assert shown.projected_year.nano_usd == 150 * 365
    assert {model: share.share for model, share in shown.by_model.items()} == {
        "gpt-4o": pytest.approx(250 / 300, abs=1e-4),
        "gpt-4o-mini": pytest.approx(50 / 300, abs=1e-4),
    }


class AwayStore(MemoryCosts):
    """Does not answer until told."""

    away = True

    async def add(self, batch: Batch) -> None:
        if self.away:
            raise CostsUnavailableError("away")
        await super().add(batch)


def test_what_a_store_did_not_take_is_offered_again():
    async def go():
        store = AwayStore()
        tracker = CostTracker(store, Clock())
        for _ in range(3):
            tracker.record(paid(("gpt-4o", 7)))
            with pytest.raises(CostsUnavailableError):
                await tracker.flush()
        store.away = False
        await tracker.flush()
        await tracker.flush()
        return await report(store, NOON)

    assert asyncio.run(go()).last_hour == 21


def test_the_terminal_report_says_when_costs_end_with_the_process():
    store = MemoryCosts()
    asyncio.run(store.add(Batch("b", hour_of(NOON), {"gpt-4o": 1_500_000_000})))
    text = render(cost_report(asyncio.run(report(store, NOON))))
    assert "1.500000000" in text
    assert "100.0%" in text
    assert "gone when it ends" in text


def test_no_service_is_one_line_and_status_3(capsys):
    (port,) = free_ports(1)
    assert show_costs(f"http://127.0.0.1:{port}") == 3
    assert capsys.readouterr().err.count("\n") == 1
