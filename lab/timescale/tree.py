"""A PromQL syntax tree that can be compared, rebuilt and printed without loss.

The parser is promql-parser (never a regex). Its own tree does not serve beyond parsing (measured on 0.12): nodes
compare by identity, and printing truncates durations to whole seconds, drops string escapes, prints `[1h:]` as `[1h]`
and unquotes UTF-8 label names. So `parse` copies it, attribute by attribute, into the immutable nodes below.
Times are in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as lib

from lab.timescale.errors import InputError
from lab.timescale.strings import tokens, without_raw

# promql-parser recurses in Rust and in time quadratic in the nesting: beyond a few thousand operators it takes
# seconds and then overruns the stack, which kills the process. Both bounds lie far above any real rule.
MAX_CHARS = 32_768
MAX_OPERATORS = 600


@dataclass(frozen=True)
class Number:
    """A number literal (`5m` as a number is 300)."""

    value: float


@dataclass(frozen=True)
class String:
    """A string literal, unescaped."""

    value: str


@dataclass(frozen=True)
class Matcher:
    """One label matcher; `op` is `=`, `!=`, `=~` or `!~`."""

    op: str
    name: str
    value: str


@dataclass(frozen=True)
class Selector:
    """An instant vector selector; `at` is what follows `@`, empty without one."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    offset: int = 0
    at: str = ""


@dataclass(frozen=True)
class Matrix:
    """A range vector selector, `selector[range]`."""

    selector: Selector
    range: int


@dataclass(frozen=True)
class Subquery:
    """`expr[range:step]`; step None stands for the evaluation interval."""

    expr: Node
    range: int
    step: int | None = None
    offset: int = 0
    at: str = ""


@dataclass(frozen=True)
class Call:
    """A function call."""

    name: str
    args: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Aggregate:
    """`op by|without (labels) (param, expr)`; `grouping` is empty without a clause."""

    op: str
    expr: Node
    param: Node | None = None
    grouping: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matching:
    """How a binary operator matches vectors: `on`/`ignoring`, `group_left`/`group_right`, `bool`."""

    kind: str = ""
    labels: tuple[str, ...] = ()
    group: str = ""
    group_labels: tuple[str, ...] = ()
    return_bool: bool = False


@dataclass(frozen=True)
class Unary:
    """Arithmetic negation."""

    expr: Node


@dataclass(frozen=True)
class Binary:
    """A binary operation."""

    op: str
    lhs: Node
    rhs: Node
    matching: Matching = Matching()


@dataclass(frozen=True)
class Paren:
    """An expression in parentheses (kept, so that precedence needs no second thought when printing)."""

    expr: Node


Node = Number | String | Selector | Matrix | Subquery | Call | Aggregate | Unary | Binary | Paren


def parse(text: str) -> Node:
    """Parse PromQL; raise InputError with the parser's own words, or when the text is beyond the bounds."""
    try:
        return _copy(lib.parse(_guarded(text)))
    except RecursionError:
        raise InputError("the expression is nested too deeply", construct=_short(text)) from None
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"does not parse: {error}", construct=_short(text), remedy=_parse_remedy(str(error))) from None


def _guarded(text: str) -> str:
    """The text as the parser reads it correctly; raise InputError where it would hang or crash."""
    parts = list(tokens(text)) if len(text) <= MAX_CHARS else []
    code = " ".join(part for is_string, part in parts if not is_string)
    words = code.split()
    operators = sum(code.count(c) for c in "+-*/%^<>=!(")
    operators += sum(words.count(w) for w in ("and", "or", "unless", "atan2"))
    if not parts or operators > MAX_OPERATORS:
        raise InputError(
            f"longer than {MAX_CHARS} characters or {MAX_OPERATORS} operators and brackets",
            construct=_short(text),
            remedy="split it into recording rules",
        )
    return "".join(without_raw(part) if is_string else part for is_string, part in parts)


def _parse_remedy(error: str) -> str:
    if "holt_winters" in error:
        return "holt_winters is gone from Prometheus 3: use double_exponential_smoothing, or deriv"
    if "inside brackets" in error or "invalid promql" in error:
        return "if the server accepts it: smoothed, anchored and arithmetic on durations are not supported here"
    return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "..."


def _copy(node: Any) -> Node:
    match node:
        case lib.NumberLiteral():
            # One NaN object for all, so that equal trees compare equal.
            return Number(math.nan if math.isnan(node.val) else float(node.val))
        case lib.StringLiteral():
            return String(node.val)
        case lib.VectorSelector():
            return _selector(node)
        case lib.MatrixSelector():
            return Matrix(_selector(node.vector_selector), _ms(node.range))
        case lib.SubqueryExpr():
            step = None if node.step is None else _ms(node.step)
            return Subquery(_copy(node.expr), _ms(node.range), step, _ms(node.offset), str(node.at or ""))
        case lib.Call():
            return Call(node.func.name, tuple(_copy(arg) for arg in node.args))
        case lib.AggregateExpr():
            return _aggregate(node)
        case lib.UnaryExpr():
            return Unary(_copy(node.expr))
        case lib.BinaryExpr():
            return Binary(str(node.op), _copy(node.lhs), _copy(node.rhs), _matching(node.modifier))
        case lib.ParenExpr():
            return Paren(_copy(node.expr))
    raise InputError("a node this lab does not know", construct=type(node).__name__)


def _ms(delta: timedelta | None) -> int:
    return 0 if delta is None else delta // timedelta(milliseconds=1)


def _selector(node: Any) -> Selector:
    if node.matchers.or_matchers:
        raise InputError("`or` between label matchers is not PromQL", construct=str(node))
    matchers = tuple(Matcher(_match_op(m.op), m.name, m.value) for m in node.matchers.matchers)
    return Selector(node.name or "", matchers, _ms(node.offset), str(node.at or ""))


def _match_op(op: lib.MatchOp) -> str:
    ops = lib.MatchOp
    spellings = [("=", ops.Equal), ("!=", ops.NotEqual), ("=~", ops.Re), ("!~", ops.NotRe)]
    return next(text for text, member in spellings if member == op)


def _aggregate(node: Any) -> Aggregate:
    param = None if node.param is None else _copy(node.param)
    if node.modifier is None:
        return Aggregate(str(node.op), _copy(node.expr), param)
    grouping = "by" if node.modifier.type == lib.AggModifierType.By else "without"
    return Aggregate(str(node.op), _copy(node.expr), param, grouping, tuple(node.modifier.labels))


def _matching(modifier: Any) -> Matching:
    if modifier is None:
        return Matching()
    fill = modifier.fill_values
    if fill is not None and (fill.lhs is not None or fill.rhs is not None):
        raise InputError("fill values in a binary operation are not supported")
    kind, labels = "", ()
    if modifier.matching is not None:
        kind = "on" if modifier.matching.type == lib.LabelModifierType.Include else "ignoring"
        labels = tuple(modifier.matching.labels)
    cardinality = lib.VectorMatchCardinality
    group = {"l": "group_left", "r": "group_right"}.get(
        "l" if modifier.card == cardinality.ManyToOne else "r" if modifier.card == cardinality.OneToMany else "", ""
    )
    return Matching(kind, labels, group, tuple(modifier.group_labels or ()), modifier.return_bool)
