"""Compresses the time in a PromQL expression: ranges, offsets, subquery steps, and what the rule declares."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from lab.timescale.durations import check_speed
from lab.timescale.errors import InputError, TimescaleError
from lab.timescale.meaning import Scaler
from lab.timescale.printer import render
from lab.timescale.tree import Aggregate, Binary, Call, Matrix, Node, Paren, Selector, Subquery, Unary, parse
from lab.timescale.units import Meaning

SCRAPE_INTERVAL_S = 15.0
MIN_SCRAPES = 3


@dataclass(frozen=True)
class Windows:
    """How ranges, offsets and steps shrink."""

    speed: float
    scrape_interval_s: float = SCRAPE_INTERVAL_S
    min_scrapes: int = MIN_SCRAPES

    def range_ms(self, range_ms: int) -> int:
        """A range selector's window: whole seconds, rounded up, at least `min_scrapes` scrapes; it never grows."""
        scrapes = self.min_scrapes * self.scrape_interval_s * 1000 / self.speed
        return min(range_ms, _whole_seconds(max(range_ms / self.speed, scrapes)))

    def subquery_ms(self, range_ms: int) -> int:
        """A subquery's window: whole seconds rounded up. Its points come from its step, not from scrapes."""
        return min(range_ms, _whole_seconds(range_ms / self.speed))

    def shift_ms(self, ms: int) -> int:
        """An offset or a step, to the millisecond."""
        shrunk = round(abs(ms) / self.speed)
        return int(math.copysign(max(1, shrunk), ms)) if ms else 0

    def shrink(self, node: Node) -> Node:
        """The tree with every duration compressed."""
        match node:
            case Selector():
                return replace(node, offset=self.shift_ms(node.offset))
            case Matrix(selector, range_ms):
                shifted = replace(selector, offset=self.shift_ms(selector.offset))
                return Matrix(shifted, self.range_ms(range_ms))
            case Subquery():
                step = None if node.step is None else self.shift_ms(node.step)
                window, offset = self.subquery_ms(node.range), self.shift_ms(node.offset)
                return replace(node, expr=self.shrink(node.expr), range=window, step=step, offset=offset)
            case Call():
                return replace(node, args=tuple(self.shrink(arg) for arg in node.args))
            case Aggregate():
                param = None if node.param is None else self.shrink(node.param)
                return replace(node, expr=self.shrink(node.expr), param=param)
            case Paren() | Unary():
                return replace(node, expr=self.shrink(node.expr))
            case Binary():
                return replace(node, lhs=self.shrink(node.lhs), rhs=self.shrink(node.rhs))
        return node


def _whole_seconds(ms: float) -> int:
    # The tolerance absorbs the division: 4.000000001 s is 4 s, not 5.
    return max(1, math.ceil(ms / 1000 - 1e-6)) * 1000


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
        scaled, unit = Scaler(float(speed), frozenset(meanings)).weigh(original)
        if recorded and unit.power:
            raise TimescaleError(
                "records a count or an age that shrinks under compression",
                construct=render(original),
                remedy="record rate() instead, or put the expression into the alert and declare it there",
            )
        result = Windows(speed, scrape_interval_s, min_scrapes).shrink(scaled)
        return expr if result == original else printed(result)
    except RecursionError:
        raise InputError("the expression is nested too deeply", remedy="split it into recording rules") from None


def printed(tree: Node) -> str:
    """Print, parse again and compare: a printer must never be the one who changes a rule."""
    text = render(tree)
    if parse(text) != tree:
        raise InputError("cannot be printed without change", construct=text, remedy="please report this expression")
    return text
