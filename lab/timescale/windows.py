"""How ranges, offsets and steps shrink, and how far a range falls short of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from lab.timescale.tree import Aggregate, Binary, Call, Matrix, Node, Paren, Selector, Subquery, Unary

SCRAPE_INTERVAL_S = 15.0
MIN_SCRAPES = 3
_EXACT = 1e-6
"""What division by a speed may cost: 4.000000001 s is 4 s, not 5."""


@dataclass(frozen=True)
class Windows:
    """How ranges, offsets and steps shrink."""

    speed: float
    scrape_interval_s: float = SCRAPE_INTERVAL_S
    min_scrapes: int = MIN_SCRAPES

    @property
    def least_ms(self) -> float:
        """What a range must last before compression, to hold enough scrapes after it."""
        return self.min_scrapes * self.scrape_interval_s * 1000

    def range_ms(self, range_ms: int) -> int:
        """A range selector's window: whole seconds, rounded up, at least `min_scrapes` scrapes; it never grows."""
        return min(range_ms, _whole_seconds(max(range_ms, self.least_ms) / self.speed))

    def subquery_ms(self, range_ms: int) -> int:
        """A subquery's window: whole seconds rounded up. Its points come from its step, not from scrapes."""
        return min(range_ms, _whole_seconds(range_ms / self.speed))

    def shift_ms(self, ms: int) -> int:
        """An offset or a step, to the millisecond."""
        shrunk = round(abs(ms) / self.speed)
        return int(math.copysign(max(1, shrunk), ms)) if ms else 0

    def stretch(self, node: Matrix | Subquery) -> Fraction:
        """How many times longer the window becomes than `speed` alone would make it."""
        if not node.range:
            return Fraction(1)
        short = self.range_ms(node.range) if isinstance(node, Matrix) else self.subquery_ms(node.range)
        found = Fraction(short) * Fraction(self.speed) / node.range
        return Fraction(1) if abs(found - 1) < _EXACT else found

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
    return max(1, math.ceil(ms / 1000 - _EXACT)) * 1000
