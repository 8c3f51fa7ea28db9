"""Which way is recommended: every figure of the card at its boundary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.advise.case import Case, RedFlag, Stage
from lab.advise.decide import Decision, decide
from lab.advise.money import Option, prices

RUN = Case(2_000, operator=True)
NOBODY = Case(2_000, operator=False)


def decided(case: Case) -> Decision:
    return decide(case, prices(case))


@pytest.mark.parametrize(("queries", "with_somebody", "with_nobody"), [
    (0, Option.LOGS, Option.LOGS), (499, Option.LOGS, Option.LOGS), (500, Option.PROMETHEUS, Option.MANAGED),
    (5_000, Option.PROMETHEUS, Option.MANAGED), (5_001, Option.PROMETHEUS, Option.MANAGED),
    (10**9, Option.PROMETHEUS, Option.MANAGED),
])  # fmt: skip
def test_by_queries_a_day(queries: int, with_somebody: Option, with_nobody: Option) -> None:
    assert decided(Case(queries, operator=True)).option is with_somebody
    assert decided(Case(queries, operator=False)).option is with_nobody


@pytest.mark.parametrize(("queries", "reason"), [
    (499, "below 500"), (500, "from 500 to 5,000"), (5_000, "from 500 to 5,000"), (5_001, "above 5,000"),
])  # fmt: skip
def test_the_reason_names_the_band(queries: int, reason: str) -> None:
    first = decided(Case(queries, operator=True)).reasons[0]
    assert f"{queries:,} queries a day" in first
    assert reason in first


def test_nobody_to_run_it_is_a_reason() -> None:
    assert "nobody is there to run Prometheus" in decided(NOBODY).reasons[0]


def test_above_the_break_even_nobody_is_told_what_somebody_would_save() -> None:
    assert decided(replace(NOBODY, queries_per_day=5_000)).cautions == ()
    [caution] = decided(replace(NOBODY, queries_per_day=20_000)).cautions
    assert "Prometheus almost always" in caution
    assert "264-431 USD a month in place of 400-1,000" in caution


def test_below_the_break_even_a_managed_one_that_costs_less_is_named() -> None:
    assert any("a managed APM costs less" in c for c in decided(RUN).cautions)
    assert not decided(replace(RUN, queries_per_day=10_000)).cautions


@pytest.mark.parametrize(("changed", "reason"), [
    ({"stage": Stage.MVP}, "MVP"), ({"cloud_suffices": True}, "the cloud's own monitoring suffices"),
    ({"days_unopened": 30}, "for 30 days"), ({"budget_usd": 9_999.0}, "below 10,000"),
])  # fmt: skip
@pytest.mark.parametrize("queries", [2_000, 50_000])
def test_when_to_avoid_it(changed: dict[str, object], reason: str, queries: int) -> None:
    case = replace(RUN, queries_per_day=queries, **changed)  # type: ignore[arg-type]
    found = decided(case)
    assert found.option is Option.LOGS
    assert [r for r in found.reasons if reason in r] == list(found.reasons)


def test_all_reasons_to_avoid_it_are_told() -> None:
    found = decided(Case(100, stage=Stage.MVP, cloud_suffices=True, budget_usd=1.0, days_unopened=400))
    assert len(found.reasons) == 5


# The budget: below 10,000 USD a month, or monitoring above 2 % of it


@pytest.mark.parametrize(("queries", "budget", "option"), [
    (1_000, 10_000.0, Option.PROMETHEUS),  # 150 of 200
    (10_000, 15_000.0, Option.PROMETHEUS),  # 300 of 300: not above
    (10_000, 14_999.0, Option.LOGS),  # and a managed one costs 500
    (3_000, 10_000.0, Option.MANAGED),  # 209 of 200, a managed one 150
    (100_000, 50_000.0, Option.PROMETHEUS),
    (100_000, 49_000.0, Option.LOGS),
])  # fmt: skip
def test_two_per_cent_of_the_budget_at_most(queries: int, budget: float, option: Option) -> None:
    assert decided(Case(queries, operator=True, budget_usd=budget)).option is option


def test_nobody_never_gets_prometheus_because_it_is_cheaper() -> None:
    found = decided(Case(10_000, operator=False, budget_usd=20_000.0))  # 400: Prometheus 300, managed 500
    assert found.option is Option.LOGS
    assert "may cost more than 2% of the budget, 400 USD a month" in found.reasons[-1]


def test_what_was_too_dear_and_what_fits_are_both_told() -> None:
    reasons = decided(Case(3_000, operator=True, budget_usd=10_000.0)).reasons
    assert "but Prometheus, run by yourselves may cost more than 2% of the budget" in reasons[1]
    assert "stays within 2% of the budget, 200 USD a month" in reasons[2]


# Red flags


@pytest.mark.parametrize(("days", "flags", "option"), [
    (0, 0, Option.PROMETHEUS), (6, 0, Option.PROMETHEUS), (7, 1, Option.PROMETHEUS), (29, 1, Option.PROMETHEUS),
    (30, 0, Option.LOGS),
])  # fmt: skip
def test_a_week_without_a_look_is_a_flag_and_thirty_days_are_the_end(days: int, flags: int, option: Option) -> None:
    found = decided(replace(RUN, days_unopened=days))
    assert len([c for c in found.cautions if c.startswith("red flag: ")]) == flags
    assert found.option is option


@pytest.mark.parametrize(("flag", "words"), [
    (RedFlag.FEATURES, "more time goes into Prometheus than into features"),
    (RedFlag.PROMQL, "nobody on the team reads PromQL"),
    (RedFlag.STORAGE, "storage grows faster than queries"),
])  # fmt: skip
def test_a_red_flag_is_told_once_and_changes_nothing_by_itself(flag: RedFlag, words: str) -> None:
    found = decided(replace(RUN, red_flags=(flag, flag)))
    assert [c for c in found.cautions if c.startswith("red flag")] == [f"red flag: {words}"]
    assert found.option is Option.PROMETHEUS


def test_red_flags_are_told_where_logs_do_too() -> None:
    assert decided(Case(10, red_flags=(RedFlag.PROMQL,))).cautions == ("red flag: nobody on the team reads PromQL",)
