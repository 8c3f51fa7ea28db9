"""Finds what compression would change in an expression; scales it where the author said how, else refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from lab.timescale import functions
from lab.timescale.constants import constant, divided
from lab.timescale.durations import Duration
from lab.timescale.errors import TimescaleError
from lab.timescale.functions import COMPARISONS, SETS
from lab.timescale.printer import render
from lab.timescale.tree import Aggregate, Binary, Call, Matrix, Node, Number, Paren, Selector, String, Subquery, Unary
from lab.timescale.units import AGE, ANNOTATION, CLOCK, PLAIN, TRAFFIC, Meaning, Unit
from lab.timescale.windows import Windows

Weighed = tuple[Node, Unit]
WeighedBinary = tuple[Binary, Unit]


@dataclass(frozen=True)
class Scaler:
    """Rewrites the numbers of one expression, given how its windows shrink and what its author declared."""

    windows: Windows
    meanings: frozenset[Meaning]

    @property
    def speed(self) -> float:
        """How many times faster time runs."""
        return self.windows.speed

    def weigh(self, node: Node) -> Weighed:
        """The node with its numbers scaled, and the unit of its value; raise TimescaleError to refuse."""
        match node:
            case Number() | String():
                return node, PLAIN
            case Selector():
                self._refuse_at(node)
                return node, PLAIN
            case Matrix(selector, _):
                self._refuse_at(selector)
                return node, PLAIN
            case Subquery():
                self._refuse_at(node)
                inner, unit = self.weigh(node.expr)
                return replace(node, expr=inner), unit
            case Paren() | Unary():
                inner, unit = self.weigh(node.expr)
                return replace(node, expr=inner), unit
            case Aggregate():
                return self._aggregate(node)
            case Call():
                return self._call(node)
            case Binary():
                return self._binary(node)

    def _refuse_at(self, node: Selector | Subquery) -> None:
        if node.at:
            raise TimescaleError(
                "`@` fixes an instant of real time", construct=render(node), remedy="use offset instead"
            )

    # --- functions and aggregations ---------------------------------------------------------------------------

    def _call(self, node: Call) -> Weighed:
        functions.refuse_by_name(node)
        weighed = [self.weigh(arg) for arg in node.args]
        node = replace(node, args=tuple(arg for arg, _ in weighed))
        if node.name == "predict_linear":
            return self._predict_linear(node, weighed[0][1])
        subject = next((i for i, arg in enumerate(node.args) if not isinstance(arg, String)), 0)
        if node.name in functions.PARAMETER_FIRST:
            subject = 1
        unit = weighed[subject][1] if weighed else PLAIN
        if node.name in functions.CLAMPS and (unit.power or unit.uneven):
            bounds = tuple(self._scaled(bound, unit, node) for bound in node.args[1:])
            return replace(node, args=(node.args[0], *bounds)), unit
        stretch = self._stretch(node)
        return node, functions.unit_of(node, unit, stretch, count_events=Meaning.EVENT in self.meanings)

    def _stretch(self, node: Call) -> Fraction:
        """How much longer than its share the window of a function over time becomes."""
        for arg in node.args:
            while isinstance(arg, Paren):
                arg = arg.expr
            if isinstance(arg, Matrix | Subquery):
                return self.windows.stretch(arg)
        return Fraction(1)

    def _predict_linear(self, node: Call, unit: Unit) -> Weighed:
        self._require(frozenset({Meaning.HORIZON}), node, "its horizon is a bare number of seconds")
        if not unit.plain:
            raise functions.unclear(node)
        return replace(node, args=(node.args[0], divided(node.args[1], self.speed))), unit

    def _aggregate(self, node: Aggregate) -> Weighed:
        inner, unit = self.weigh(node.expr)
        param = None if node.param is None else self.weigh(node.param)[0]
        return replace(node, expr=inner, param=param), functions.aggregate_unit(node, unit)

    # --- operators --------------------------------------------------------------------------------------------

    def _binary(self, node: Binary) -> Weighed:
        (lhs, left), (rhs, right) = self.weigh(node.lhs), self.weigh(node.rhs)
        node = replace(node, lhs=lhs, rhs=rhs)
        if node.op in SETS:
            return node, left
        if node.op in ("*", "/"):
            return node, self._product(node, left, right)
        plain = left.plain and right.plain
        if node.op == "-" and plain and functions.is_difference_over_time(node.lhs, node.rhs):
            return node, PLAIN if Meaning.EVENT in self.meanings else TRAFFIC
        if node.op not in COMPARISONS | {"+", "-", "or", "%"}:
            if not plain:
                raise functions.unclear(node)
            return node, PLAIN
        moves = plain and node.op not in ("or", "%") and functions.hides_difference_over_time(node)
        if moves and Meaning.EVENT not in self.meanings:
            raise functions.moved_difference(node)
        node, unit = self._meet(node, left, right)
        yields_flag = node.op in COMPARISONS and node.matching.return_bool
        return node, PLAIN if yields_flag else unit

    def _product(self, node: Binary, left: Unit, right: Unit) -> Unit:
        if left.clock and constant(node.rhs) is not None:
            return CLOCK  # another unit of the same clock: time() * 1000
        if right.clock and constant(node.lhs) is not None and node.op == "*":
            return CLOCK
        if left.clock or right.clock:
            raise functions.calendar(node)
        return left.times(right) if node.op == "*" else left.over(right)

    def _meet(self, node: Binary, left: Unit, right: Unit) -> WeighedBinary:
        """Two values that only make sense in the same unit: compared, added, or merged by `or`."""
        if left.clock or right.clock:
            return self._meet_clock(node, left, right)
        if left.alike(right):
            if 0 not in (constant(node.lhs), constant(node.rhs)) and left.over(right).uneven:
                raise self.uneven(node)
            return node, right if left.plain else left
        if right.plain:
            return replace(node, rhs=self._scaled(node.rhs, left, node)), left
        if left.plain:
            return replace(node, lhs=self._scaled(node.lhs, right, node)), right
        raise functions.unclear(node)

    def _meet_clock(self, node: Binary, left: Unit, right: Unit) -> WeighedBinary:
        if node.op == "%":
            raise functions.calendar(node)
        if left.clock and right.clock:
            return node, self._two_clocks(node)
        other, unit = (node.rhs, right) if left.clock else (node.lhs, left)
        if constant(other) is not None and node.op in ("+", "-"):
            scaled = self._scaled(other, AGE, node)  # a moment some seconds away: time() - 600
            return (replace(node, rhs=scaled) if left.clock else replace(node, lhs=scaled)), CLOCK
        if unit == AGE and node.op in ("+", "-"):
            return node, CLOCK
        if not unit.plain or constant(other) is not None or node.op == "+":
            raise functions.calendar(node)
        if functions.holds_sum(other):
            raise functions.moved_age(node)
        # A series that holds a time stamp: time() - x is its age, time() > x and x or time() are instants.
        return node, AGE if node.op == "-" else CLOCK

    def _two_clocks(self, node: Binary) -> Unit:
        if node.op == "+":
            raise functions.calendar(node)
        return AGE if node.op == "-" else CLOCK

    def _scaled(self, number: Node, unit: Unit, whole: Node) -> Node:
        """The number brought to the unit it is measured against, once the author has declared it."""
        if constant(number) == 0:
            return number  # zero is zero at any speed
        if not unit.needs:
            raise self.uneven(whole)
        what = "the age of a time stamp" if unit.age else "a count over a window"
        self._require(unit.needs, whole, f"{what} meets {render(number)}")
        return divided(number, unit.shrinks_by(self.speed))

    def uneven(self, construct: Node) -> TimescaleError:
        """The refusal of a count over a window too long, where no number makes up for it."""
        least, second = Duration(int(self.windows.least_ms)), Duration.of_seconds(self.speed)
        return TimescaleError(
            f"counts over a range that can't be {self.speed:g} times shorter: it must hold {self.windows.min_scrapes} "
            "scrapes and whole seconds",
            construct=render(construct),
            remedy=f"write ranges of at least {least} that are multiples of {second}, or run it at speed 1",
        )

    def _require(self, wanted: frozenset[Meaning], construct: Node, why: str) -> None:
        missing = sorted(wanted - self.meanings)
        if not missing:
            return
        counts = Meaning.TRAFFIC in missing
        declared = ", ".join(missing)
        raise TimescaleError(
            f"{why}, which compression would change",
            construct=render(construct),
            remedy=f'declare it in the rule\'s annotations, {ANNOTATION}: "{declared}"'
            + (', or "event" for what is sped up, as the lab\'s own traffic is, or use a ratio' if counts else ""),
        )
