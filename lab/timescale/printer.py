"""Prints a syntax tree as PromQL that parses to the same tree."""

from __future__ import annotations

import math

from lab.timescale.durations import Duration
from lab.timescale.strings import quote
from lab.timescale.tree import (
    Aggregate,
    Binary,
    Call,
    Matcher,
    Matching,
    Matrix,
    Node,
    Number,
    Paren,
    Selector,
    String,
    Subquery,
    Unary,
)


def render(node: Node) -> str:
    """One line of PromQL; durations exact to the millisecond, strings escaped, unusual label names quoted."""
    match node:
        case Number(value):
            return _number(value)
        case String(value):
            return quote(value)
        case Selector():
            return _series(node) + _modifiers(node.offset, node.at)
        case Matrix(selector, range_ms):
            return f"{_series(selector)}[{Duration(range_ms)}]{_modifiers(selector.offset, selector.at)}"
        case Subquery():
            step = "" if node.step is None else str(Duration(node.step))
            window = f"[{Duration(node.range)}:{step}]"
            return render(node.expr) + window + _modifiers(node.offset, node.at)
        case Call(name, args):
            return f"{name}({', '.join(render(arg) for arg in args)})"
        case Aggregate():
            return _aggregate(node)
        case Unary(expr):
            return f"-{render(expr)}"
        case Binary(op, lhs, rhs, matching):
            return f"{render(lhs)} {op}{_matching(matching)} {render(rhs)}"
        case Paren(expr):
            return f"({render(expr)})"


def _number(value: float) -> str:
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _label(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if plain else quote(name)


def _labels(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(_label(name) for name in names) + ")"


def _series(selector: Selector) -> str:
    inner = ", ".join(_matcher(m) for m in selector.matchers)
    return f"{selector.name}{{{inner}}}" if inner else selector.name


def _matcher(matcher: Matcher) -> str:
    return f"{_label(matcher.name)}{matcher.op}{quote(matcher.value)}"


def _modifiers(offset: int, at: str) -> str:
    sign = "-" if offset < 0 else ""
    shift = f" offset {sign}{Duration(abs(offset))}" if offset else ""
    return shift + (f" {at}" if at else "")


def _aggregate(node: Aggregate) -> str:
    clause = f" {node.grouping} {_labels(node.labels)} " if node.grouping else ""
    param = f"{render(node.param)}, " if node.param is not None else ""
    return f"{node.op}{clause}({param}{render(node.expr)})"


def _matching(matching: Matching) -> str:
    out = " bool" if matching.return_bool else ""
    if matching.kind:
        out += f" {matching.kind} {_labels(matching.labels)}"
    if matching.group:
        out += f" {matching.group} {_labels(matching.group_labels)}"
    return out
