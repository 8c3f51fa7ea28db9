"""The decision card: when to run this stack and when not, on one screen of 80 columns and 24 lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from lab.advise import figures
from lab.advise.advice import Advice
from lab.advise.money import self_run
from lab.advise.sizes import size

WIDTH, HEIGHT = 80, 23
"""One line is left to the prompt."""
INDENT = 12


def card(found: Advice | None = None) -> str:
    """The card; with an advice, the case it is about stands below, cut where the screen ends."""
    lines = ["PROMETHEUS FOR A RAG SERVICE: THE DECISION CARD", "=" * WIDTH, *_general()]
    if found is not None:
        own = ["-" * WIDTH, *_case(found)]
        room = HEIGHT - len(lines)
        lines += own if len(own) <= room else [*own[: room - 1], f"{'':<{INDENT}}... more: the same without --card"]
    return "\n".join(lines)


def _general() -> Iterator[str]:
    steps = ", ".join(f"{self_run(n)} at {_short(n)}" for n, _ in figures.SELF_RUN_USD)
    yield from _block(
        "Benefit", "you see errors, latency, quality and cost as they happen, and are told before users do"
    )
    yield from _block(
        "Limitation",
        f"{figures.MORE_SERVICES} more services, each can fail: watch them too; no label without a bound;"
        " one Prometheus is a single point of failure",
    )
    yield from _block(
        "Cost",
        f"USD a month {steps} queries a day; {figures.SETUP_H} h to set up, {figures.UPKEEP_H} h a month,"
        f" {figures.PROMQL_WEEKS} weeks of PromQL, {figures.TUNING_WEEKS} weeks of tuning alerts",
    )
    yield from _block(
        "Use when",
        f"above 1k queries a day and someone runs it; above {_short(figures.MANY_QUERIES)} almost always",
    )
    yield from _block(
        "Avoid when",
        f"below {figures.FEW_QUERIES} queries a day (logs: {figures.LOGS_USD} USD), MVP, nobody to run it, less than"
        f" {_short(figures.TIGHT_BUDGET_USD)} USD a month or monitoring above {figures.MONITORING_SHARE:.0%} of it,"
        " the cloud's own suffices",
    )
    yield from _block(
        "Red flags",
        f"more time on it than on features; no dashboard opened for {figures.UNOPENED_DAYS} days"
        f" ({figures.STOP_DAYS}: stop); nobody reads PromQL; storage grows faster than queries",
    )


def _case(found: Advice) -> Iterator[str]:
    case, need = found.case, found.resources
    yield from _block("Your case", f"{found.decision.option.words.upper()}: {'; '.join(found.decision.reasons)}")
    priced = "; ".join(f"{price.option.value} {price.usd}" for price in found.prices)
    yield from _block("USD a month", priced)
    yield from _block(
        "Resources",
        f"{size(need.machine_ram)} of memory, {size(need.volume)} of disk for {case.series:,} series each"
        f" {case.scrape_interval}, kept {case.retention}",
    )
    for caution in found.decision.cautions:
        yield from _block("Look out", caution)


def _block(name: str, says: str) -> list[str]:
    return textwrap.wrap(
        says, WIDTH, initial_indent=f"{name:<{INDENT}}", subsequent_indent=" " * INDENT, break_on_hyphens=False
    )


def _short(value: int) -> str:
    return f"{value // 1000}k" if value >= 1000 else str(value)
