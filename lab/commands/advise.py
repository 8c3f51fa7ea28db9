"""`lab advise`: whether to run this stack. Heavy imports live inside the functions: `lab --help` loads this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.commands.typed import is_typed

if TYPE_CHECKING:
    from lab.advise.case import Case
    from lab.advise.footprint import Footprint


@click.command()
@click.option("-q", "--queries-per-day", metavar="N", help="queries a day; 10k and 1.5M are understood")
@click.option("--operator/--no-operator", default=None, help="somebody can run it, 2 to 4 hours a month, or nobody")
@click.option("--budget", metavar="USD", help="all that the team may spend a month")
@click.option("--stage", type=click.Choice(["mvp", "production"]), help="how far the product is")
@click.option("--cloud-suffices", is_flag=True, help="the cloud's own monitoring shows what you need")
@click.option("--hosts", metavar="N", help="machines that a managed APM would bill")
@click.option("--series", metavar="N", help="in the head: `prometheus_tsdb_head_series`")
@click.option("--scrape-interval", metavar="TIME", help="such as 15s")
@click.option("--retention", metavar="TIME", help="such as 15d")
@click.option("--days-unopened", metavar="N", help="since anybody opened a dashboard")
@click.option("--red-flag", "red_flags", multiple=True, type=click.Choice(["features", "promql", "storage"]),
              help="more time for it than for features; nobody reads PromQL; storage outgrows queries")  # fmt: skip
@click.option("--card", is_flag=True, help="the decision card, on one screen")
@click.option("--measure", is_flag=True, help="first measure a series and a sample on this machine: 90 s, one core")
@click.option("--prometheus-bin", type=click.Path(path_type=Path), envvar="LAB_PROMETHEUS_BIN",
              help="the Prometheus to measure")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def advise(**given: Any) -> int:
    """Whether to run this stack at all, what it costs and needs, and what to do past one server."""
    return advise_command(given)


DEFAULTS = {
    "operator": "nobody to run it (--operator)",
    "stage": "in production (--stage mvp)",
    "hosts": "one host (--hosts)",
    "series": "10,000 series (--series)",
    "scrape_interval": "a scrape each 15s (--scrape-interval)",
    "retention": "kept 15d (--retention)",
    "budget": "any budget (--budget)",
}
"""What is taken for granted where it is not told."""
OF_A_CASE = (*DEFAULTS, "cloud_suffices", "days_unopened", "red_flags")


def advise_command(given: dict[str, Any]) -> int:
    """Everything that can be refused is refused before anything is measured."""
    from lab.advise.footprint import known
    from lab.errors import UsageError

    told = given["queries_per_day"] is not None
    if given["as_json"] and given["card"]:
        raise UsageError("--card: is for people; leave --json away, or leave --card away")
    if not (told or given["card"] or given["measure"]):
        raise UsageError("--queries-per-day: how many? such as `lab advise --queries-per-day 2000 --operator`")
    _refuse_unused(given)
    case = case_of(given) if told else None
    if given["measure"]:
        _measure(given["prometheus_bin"], tell=case is None and not given["card"], as_json=given["as_json"])
        if case is None and not given["card"]:
            return 0
    click.echo(_told(case, known() if case else None, given))
    return 0


def _refuse_unused(given: dict[str, Any]) -> None:
    """What was typed and would be passed over."""
    from lab.errors import UsageError

    if given["queries_per_day"] is None:
        for option in click.get_current_context().command.params:
            if option.name in OF_A_CASE and is_typed(option.name):
                raise UsageError(f"{option.opts[0]}: is of a case; add --queries-per-day N, or leave it away")
    if not given["measure"] and is_typed("prometheus_bin"):
        raise UsageError("--prometheus-bin: is the Prometheus to measure; add --measure, or leave it away")


def case_of(given: dict[str, Any]) -> Case:
    """The case as it was told, read and checked. Raises `UsageError`."""
    from lab.advise import reading
    from lab.advise.case import Case, RedFlag, Stage

    more: dict[str, Any] = {}
    for name in ("hosts", "series", "days_unopened"):
        if given[name] is not None:
            more[name] = reading.count(_option(name), given[name])
    for name in ("scrape_interval", "retention"):
        if given[name] is not None:
            more[name] = reading.duration(_option(name), given[name])
    if given["budget"] is not None:
        more["budget_usd"] = reading.number("--budget", given["budget"])
    return Case(
        queries_per_day=reading.count("--queries-per-day", given["queries_per_day"]),
        operator=bool(given["operator"]),
        stage=Stage(given["stage"] or Stage.PRODUCTION),
        cloud_suffices=given["cloud_suffices"],
        red_flags=tuple(RedFlag(flag) for flag in given["red_flags"]),
        **more,
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _told(case: Case | None, footprint: Footprint | None, given: dict[str, Any]) -> str:
    from lab.advise.advice import advise as advice_on
    from lab.advise.advice import to_json
    from lab.advise.card import card
    from lab.advise.text import text

    if case is None or footprint is None:
        return card()
    found = advice_on(case, footprint)
    if given["card"]:
        return card(found)
    if given["as_json"]:
        return json.dumps(to_json(found), indent=2)
    return text(found, [says for name, says in DEFAULTS.items() if given[name] is None])


def _measure(prometheus_bin: Path | None, *, tell: bool, as_json: bool) -> None:
    """Measure, keep, and say what came out where nothing else is asked for."""
    from dataclasses import asdict

    from lab.advise.footprint import keep
    from lab.advise.measure import measure
    from lab.advise.sizes import size
    from lab.install import find
    from lab.sweep import sweep

    sweep()
    found = measure(find("prometheus", prometheus_bin), lambda line: click.echo(line, err=True))
    path = keep(found)
    if not tell:
        return
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    click.echo(f"a series         {found.bytes_per_series:,.0f} bytes of memory, beside {size(found.idle_bytes)} idle")
    click.echo(
        f"a sample         {found.bytes_per_sample:.2f} bytes in a block, {found.wal_bytes_per_sample:.1f} in the WAL"
    )
    click.echo(f"kept for advice  {path}")
