"""What each PromQL function and aggregation does to the unit of its argument."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lab.timescale.constants import constant
from lab.timescale.errors import TimescaleError
from lab.timescale.printer import render
from lab.timescale.tree import Aggregate, Binary, Call, Matrix, Node, Paren, Selector, Subquery, Unary
from lab.timescale.units import ANNOTATION, CLOCK, PLAIN, TRAFFIC, Meaning, Unit

# Counts over a window. sum_over_time adds one value per scrape: of a gauge it keeps its value (as many scrapes
# fall into the window as before), of a count it shrinks; only the author knows which.
_COUNTS = frozenset({"increase", "delta", "idelta", "sum_over_time"})
# Counts of scrapes, or of what happens at most once a scrape: as many as before, if the window shrinks as scrapes do.
_SAMPLES = frozenset({"changes", "count_over_time", "resets"})
# They look at two scrapes only, however long the window is.
_OF_TWO_SCRAPES = frozenset({"idelta"})
_CLOCKS = frozenset({"time", "timestamp"})
_CALENDAR = frozenset(
    {"minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"}
)
_QUERY_FRAME = frozenset({"start", "end", "range", "step"})
_SAME_UNIT = frozenset(
    {
        "abs",
        "avg_over_time",
        "double_exponential_smoothing",
        "first_over_time",
        "histogram_sum",
        "histogram_count",
        "info",
        "label_join",
        "label_replace",
        "last_over_time",
        "mad_over_time",
        "max_over_time",
        "min_over_time",
        "quantile_over_time",
        "scalar",
        "sort",
        "sort_by_label",
        "sort_by_label_desc",
        "sort_desc",
        "stddev_over_time",
        "vector",
    }
)
# Results in which no time is left: quantiles, presence.
_NO_UNIT = frozenset(
    {
        "absent",
        "absent_over_time",
        "histogram_avg",
        "histogram_fraction",
        "histogram_quantile",
        "pi",
        "present_over_time",
        "sgn",
    }
)
CLAMPS = frozenset({"clamp", "clamp_max", "clamp_min"})
PARAMETER_FIRST = frozenset({"quantile_over_time", "histogram_quantile"})
_AGGREGATES_SAME = frozenset(
    {"sum", "avg", "min", "max", "topk", "bottomk", "limitk", "limit_ratio", "quantile", "stddev"}
)
_AGGREGATES_NONE = frozenset({"count", "group"})
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "unless"})


def refuse_by_name(node: Call) -> None:
    """Raise TimescaleError for a function whose answer is a place in the calendar or in the query."""
    if node.name in _CALENDAR:
        raise calendar(node)
    if node.name in _QUERY_FRAME:
        raise TimescaleError("depends on the query's own time range", construct=render(node), remedy="leave it out")


def unit_of(node: Call, unit: Unit, stretch: Fraction, *, count_events: bool) -> Unit:
    """Unit of a call's value from the unit of its subject and the stretch of its window.

    Raises TimescaleError where none can be given.
    """
    if node.name in _CLOCKS or node.name.startswith("ts_of_"):
        return CLOCK
    if node.name in _COUNTS:
        counted = _count_unit(node, unit, count_events=count_events)
        return counted if node.name in _OF_TWO_SCRAPES else counted.stretched(stretch)
    if node.name in _SAMPLES:
        return PLAIN.stretched(stretch)
    if node.name in _NO_UNIT or unit.plain:
        return PLAIN
    if node.name in _SAME_UNIT or node.name in CLAMPS:
        return unit
    raise unclear(node)


def _count_unit(node: Call, unit: Unit, *, count_events: bool) -> Unit:
    if unit.plain:
        return PLAIN if count_events else TRAFFIC
    if node.name == "sum_over_time" and not unit.clock:
        return unit  # a subquery of counts: as many steps as before, each one smaller
    raise unclear(node)


def aggregate_unit(node: Aggregate, unit: Unit) -> Unit:
    """Unit of an aggregation from the unit of what it aggregates."""
    if node.op in _AGGREGATES_NONE or unit.plain:
        return PLAIN
    if unit.clock and node.op in ("sum", "stddev"):
        raise calendar(node)
    if node.op == "stdvar" and not unit.clock:
        return unit.times(unit)
    if node.op in _AGGREGATES_SAME:
        return unit
    raise unclear(node)


def is_difference_over_time(lhs: Node, rhs: Node) -> bool:
    """True for `x` and `x offset 1h`: a delta() written by hand (of rates it is none: they do not shrink)."""
    now, before = _without_offset(lhs), _without_offset(rhs)
    return now is not None and now == before and lhs != rhs


def hides_difference_over_time(node: Binary) -> bool:
    """True for `x > x offset 1h + 30`, `x - 30 > x offset 1h` and the like: a difference moved about."""
    left = _addends(node.lhs)
    right = [(-sign if node.op != "+" else sign, addend) for sign, addend in _addends(node.rhs)]
    if node.op in COMPARISONS and len(left) == len(right) == 1:
        return False  # x > x offset 1h: nothing is added
    if node.op in COMPARISONS and is_difference_over_time(node.lhs, node.rhs):
        return False  # a + b > a offset 1h + b offset 1h
    return any(s != t and is_difference_over_time(a, b) for s, a in left for t, b in right)


def _addends(node: Node) -> list[tuple[int, Node]]:
    """What a value is the sum of, each with its sign; a zero counts for nothing."""
    match node:
        case Paren(expr):
            return _addends(expr)
        case Unary(expr):
            return [(-sign, addend) for sign, addend in _addends(expr)]
        case Binary("+" | "-" as op, lhs, rhs):
            return _addends(lhs) + [(sign if op == "+" else -sign, addend) for sign, addend in _addends(rhs)]
    return [] if constant(node) == 0 else [(1, node)]


def holds_sum(node: Node) -> bool:
    """Whether something is added to a value on its way, or taken from it: to a time stamp, a length of time."""
    match node:
        case Binary(op, lhs, rhs):
            if op in ("+", "-") and constant(node) is None and 0 not in (constant(lhs), constant(rhs)):
                return True
            return holds_sum(lhs) or (op not in SETS and holds_sum(rhs))
        case Paren() | Unary() | Subquery():
            return holds_sum(node.expr)
        case Aggregate():
            return node.op not in _AGGREGATES_NONE and holds_sum(node.expr)
        case Call():
            return any(holds_sum(arg) for arg in node.args)
    return False


def _without_offset(node: Node) -> Node | None:
    """The node with every offset removed; None if it reads a window, so that its value is no plain level."""
    match node:
        case Selector():
            return replace(node, offset=0)
        case Matrix() | Subquery():
            return None
        case Paren():
            return _without_offset(node.expr)
        case Unary() | Aggregate():
            inner = _without_offset(node.expr)
            return None if inner is None else replace(node, expr=inner)
        case Call():
            args = [_without_offset(arg) for arg in node.args]
            return None if None in args else replace(node, args=tuple(arg for arg in args if arg is not None))
        case Binary():
            lhs, rhs = _without_offset(node.lhs), _without_offset(node.rhs)
            return None if lhs is None or rhs is None else replace(node, lhs=lhs, rhs=rhs)
    return node


def calendar(node: Node) -> TimescaleError:
    """The refusal of an expression that reads the calendar or computes with dates."""
    return TimescaleError(
        "computes with clock time, which compression cannot stretch",
        construct=render(node),
        remedy="leave the calendar to Alertmanager's time intervals and run this rule at speed 1",
    )


def moved_age(node: Node) -> TimescaleError:
    """The refusal of an age whose number was moved to the time stamp."""
    return TimescaleError(
        "adds a length of time to a time stamp, which compression would change",
        construct=render(node),
        remedy="compare the age alone, as in time() - x > 3600, and declare it in the rule's annotations, "
        f'{ANNOTATION}: "{Meaning.AGE}"',
    )


def moved_difference(node: Node) -> TimescaleError:
    """The refusal of a difference over time whose number was moved to one of its sides."""
    return TimescaleError(
        "compares a value with its own past and a number, which compression would change",
        construct=render(node),
        remedy="compare the difference alone, as in x - x offset 1h > 30, and declare it in the rule's annotations, "
        f'{ANNOTATION}: "{Meaning.TRAFFIC}" or "{Meaning.EVENT}"',
    )


def unclear(node: Node) -> TimescaleError:
    """The refusal of an expression that does to a shrinking value what no scaled number can undo."""
    return TimescaleError(
        "combines values that shrink differently under compression",
        construct=render(node),
        remedy="use rate() or a ratio, or run this rule at speed 1",
    )
