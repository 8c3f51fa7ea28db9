"""Compresses the time in a PromQL expression: ranges, offsets, subquery steps, and what the rule declares."""

from __future__ import annotations

from collections.abc import Collection

from lab.timescale.durations import check_speed
from lab.timescale.errors import InputError, TimescaleError
from lab.timescale.meaning import Scaler
from lab.timescale.printer import render
from lab.timescale.tree import Node, parse
from lab.timescale.units import Meaning
from lab.timescale.windows import MIN_SCRAPES, SCRAPE_INTERVAL_S, Windows


def compress_expr(
    expr: str,
    speed: float,
    *,
    scrape_interval_s: float = SCRAPE_INTERVAL_S,
    min_scrapes: int = MIN_SCRAPES,
    meanings: Collection[Meaning] = (),
    recorded: bool = False,
) -> str:
    """PromQL that says `speed` times faster what `expr` says; unchanged text where nothing changes.

    `scrape_interval_s` is the production interval in seconds; give `min_scrapes=5` for Prometheus 3.x, whose windows
    are left-open. `meanings` is what the rule's annotation declares. With `recorded=True` a value that itself shrinks
    is refused, since the rules that read the recording cannot know. At speed 1 the text comes back as it is, unread.

    Raises TimescaleError for what would change its meaning, InputError for what does not parse.
    """
    if check_speed(speed) == 1:
        return expr
    original = parse(expr)
    try:
        windows = Windows(float(speed), scrape_interval_s, min_scrapes)
        scaler = Scaler(windows, frozenset(meanings))
        scaled, unit = scaler.weigh(original)
        if recorded and unit.power:
            raise TimescaleError(
                "records a count or an age that shrinks under compression",
                construct=render(original),
                remedy="record rate() instead, or put the expression into the alert and declare it there",
            )
        if recorded and unit.uneven:
            raise scaler.uneven(original)
        result = windows.shrink(scaled)
        return expr if result == original else printed(result)
    except RecursionError:
        raise InputError("the expression is nested too deeply", remedy="split it into recording rules") from None


def printed(tree: Node) -> str:
    """Print, parse again and compare: a printer must never be the one who changes a rule."""
    text = render(tree)
    if parse(text) != tree:
        raise InputError("cannot be printed without change", construct=text, remedy="please report this expression")
    return text
