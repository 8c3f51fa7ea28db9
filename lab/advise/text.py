"""The advice for a terminal: 80 columns, no colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from lab.advise import figures
from lab.advise.advice import Advice
from lab.advise.money import Option, Price
from lab.advise.sizes import size

WIDTH = 80


def text(found: Advice, assumed: Iterable[str] = ()) -> str:
    """All of it. `assumed`: what was not told, each with the option that tells it."""
    decision = found.decision
    lines = [f"Recommended: {decision.option.words}", *_list(decision.reasons)]
    if decision.cautions:
        lines += ["", "Look out", *_list(decision.cautions)]
    lines += ["", *_prices(found)]
    if decision.option is Option.PROMETHEUS:
        lines += ["", "What it takes", *_list(_effort())]
    lines += ["", *_resources(found), "", "Past one server", *_list(found.steps)]
    if found.remote_write:
        lines += ["", "Remote write, in prometheus.yml", *(f"    {line}" for line in found.remote_write.splitlines())]
    if told := tuple(assumed):
        lines += ["", "Assumed", *_list(told)]
    return "\n".join(lines)


def _list(items: Iterable[str]) -> Iterator[str]:
    for item in items:
        yield from textwrap.wrap(item, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)


def _prices(found: Advice) -> Iterator[str]:
    yield f"{'Cost':<36}{'USD a month':>18}{'h to set up':>13}{'h a month':>11}"
    for price in found.prices:
        mark = "*" if price.option is found.decision.option else " "
        hours = f"{_or_blank(price.setup_h):>13}{_or_blank(price.upkeep_h):>11}"
        yield f"{mark} {price.option.words:<34}{_usd(price):>18}{hours}".rstrip()
    if any(price.extrapolated for price in found.prices):
        yield "  (~ beyond 100,000 queries a day: the known points, continued)"


def _usd(price: Price) -> str:
    return f"~{price.usd}" if price.extrapolated else str(price.usd)


def _or_blank(hours: figures.Range | None) -> str:
    return str(hours) if hours else ""


def _effort() -> Iterator[str]:
    yield f"{figures.MORE_SERVICES} more services to run"
    yield f"{figures.PROMQL_WEEKS} weeks to learn PromQL"
    yield (
        f"{figures.TUNING_WEEKS} weeks until the alerts are right:"
        f" expect {figures.FIRST_WEEK_ALERTS} and more in the first week"
    )


def _resources(found: Advice) -> Iterator[str]:
    case, need, of = found.case, found.resources, found.footprint
    yield f"One Prometheus: {case.series:,} series, each {case.scrape_interval}, kept {case.retention}"
    yield f"  memory   {size(need.ram):>9}   a machine with {size(need.machine_ram)}: half for queries and restarts"
    yield f"  disk     {size(need.disk):>9}   a volume of {size(need.volume)}: a fifth stays free"
    yield f"  a day    {size(need.disk_per_day):>9}   {need.samples_per_second:,.0f} samples/s"
    yield from textwrap.wrap(
        f"{of.bytes_per_series:,.0f} bytes a series, {of.bytes_per_sample:.2f} a sample; {of.source}",
        WIDTH, initial_indent="  ", subsequent_indent="  ",
    )  # fmt: skip
