"""The decision: which way of watching, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.advise import figures
from lab.advise.case import Case, Stage
from lab.advise.money import Option, Price


@dataclass(frozen=True)
class Decision:
    """What is recommended, the reasons for it, and what to keep an eye on."""

    option: Option
    reasons: tuple[str, ...]
    cautions: tuple[str, ...] = ()


def decide(case: Case, price: Mapping[Option, Price]) -> Decision:
    """When to avoid a stack of one's own comes first, then the queries a day and who runs it, then the money."""
    cautions = tuple(red_flags(case))
    if avoid := tuple(_avoid(case)):
        return Decision(Option.LOGS, avoid, cautions)
    wanted, reason = _wanted(case)
    cautions = (*cautions, *_compared(wanted, case, price))
    reasons = [reason]
    for option in dict.fromkeys((wanted, Option.MANAGED)):
        if price[option].fits(case.budget_usd):
            return Decision(option, (*reasons, *_allowed(case)), cautions)
        reasons.append(_too_dear(option, case))
    return Decision(Option.LOGS, tuple(reasons), cautions)


def red_flags(case: Case) -> Iterator[str]:
    """Signs that the stack serves nobody; from a week without a look at a dashboard on."""
    if figures.UNOPENED_DAYS <= case.days_unopened < figures.STOP_DAYS:
        yield f"red flag: nobody has opened a dashboard for {case.days_unopened} days; at {figures.STOP_DAYS}, stop"
    for flag in dict.fromkeys(case.red_flags):
        yield f"red flag: {flag.says}"


def _avoid(case: Case) -> Iterator[str]:
    """Why there should be no stack of one's own at all, each reason that holds."""
    if case.days_unopened >= figures.STOP_DAYS:
        yield f"nobody has opened a dashboard for {case.days_unopened} days: from {figures.STOP_DAYS} on, stop"
    if case.stage is Stage.MVP:
        yield "an MVP has more urgent things to build"
    if case.cloud_suffices:
        yield "the cloud's own monitoring suffices"
    if case.queries_per_day < figures.FEW_QUERIES:
        yield f"{case.queries_per_day:,} queries a day: below {figures.FEW_QUERIES} one can read the logs"
    if case.budget_usd is not None and case.budget_usd < figures.TIGHT_BUDGET_USD:
        yield f"a budget of {case.budget_usd:,.0f} USD a month is below {figures.TIGHT_BUDGET_USD:,}: too tight"


def _wanted(case: Case) -> tuple[Option, str]:
    """By queries a day and who runs it, whatever it costs."""
    told = f"{case.queries_per_day:,} queries a day"
    if not case.operator:
        need = f"{figures.UPKEEP_H} h a month"
        return Option.MANAGED, f"{told} are too many for logs alone, and nobody is there to run Prometheus ({need})"
    if case.queries_per_day > figures.MANY_QUERIES:
        return Option.PROMETHEUS, f"{told}: above {figures.MANY_QUERIES:,} it is Prometheus almost always"
    band = f"from {figures.FEW_QUERIES} to {figures.MANY_QUERIES:,}"
    return Option.PROMETHEUS, f"{told}: {band} it is Prometheus where there is someone to run it, and there is"


def _compared(wanted: Option, case: Case, price: Mapping[Option, Price]) -> Iterator[str]:
    """That the other one costs less, where it does."""
    own, bought = price[Option.PROMETHEUS].usd, price[Option.MANAGED].usd
    if wanted is Option.MANAGED and case.queries_per_day > figures.MANY_QUERIES:
        yield (
            f"above {figures.MANY_QUERIES:,} queries a day it is Prometheus almost always: {own} USD a month"
            f" in place of {bought}, once there is someone to run it"
        )
    if wanted is Option.PROMETHEUS and bought.high < own.low:
        yield (
            f"up to about {figures.MANY_QUERIES:,} queries a day a managed APM costs less: {bought} USD a month in"
            f" place of {own}, and nobody's hours"
        )


def _share(case: Case) -> str:
    assert case.budget_usd is not None
    allowed = figures.MONITORING_SHARE * case.budget_usd
    return f"{figures.MONITORING_SHARE:.0%} of the budget, {allowed:,.0f} USD a month"


def _too_dear(option: Option, case: Case) -> str:
    return f"but {option.words} may cost more than {_share(case)}"


def _allowed(case: Case) -> tuple[str, ...]:
    return () if case.budget_usd is None else (f"it stays within {_share(case)}",)
