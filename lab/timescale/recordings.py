"""Reads through recording rules: an expression that says the same where nothing has been recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from lab.timescale.errors import TimescaleError
from lab.timescale.printer import render
from lab.timescale.promql import printed
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
    parse,
)

_OF_ALERTS = ("ALERTS", "ALERTS_FOR_STATE")
"""What a server records about its own alerts."""


@dataclass(frozen=True)
class Recording:
    """A recording rule: its name, expression and labels."""

    name: str
    expr: str
    labels: Mapping[str, str]


def read_through(expr: str, recordings: Sequence[Recording], step_ms: int) -> str:
    """The expression with what each recording computes in place of its name; the text as it is where it reads none.

    `step_ms`: how often rules are evaluated; a range over a recording becomes a subquery with this step. Raises
    TimescaleError for what can't be computed without recording it, InputError for what does not parse.
    """
    original = parse(expr)
    found = _Reader(tuple(recordings), step_ms).node(original)
    return expr if found == original else printed(found)


def metrics_in(expr: str) -> frozenset[str]:
    """Names of the metrics that an expression reads. Raises InputError for what does not parse."""
    return frozenset(_name(selector) for selector in _selectors(parse(expr)))


def _name(selector: Selector) -> str:
    """Empty where it does not name one metric."""
    named = [m.value for m in selector.matchers if m.name == "__name__" and m.op == "="]
    return selector.name or next(iter(named), "")


def _selectors(node: Node) -> Iterator[Selector]:
    match node:
        case Selector():
            yield node
        case Matrix(selector, _):
            yield selector
        case Call():
            for arg in node.args:
                yield from _selectors(arg)
        case Binary():
            yield from _selectors(node.lhs)
            yield from _selectors(node.rhs)
        case Aggregate():
            yield from _selectors(node.expr)
            if node.param is not None:
                yield from _selectors(node.param)
        case Subquery() | Paren() | Unary():
            yield from _selectors(node.expr)


@dataclass(frozen=True)
class _Reader:
    recordings: tuple[Recording, ...]
    step_ms: int
    within: tuple[str, ...] = ()
    """The recordings that are being read: one that reads itself has no end."""

    def node(self, node: Node) -> Node:
        match node:
            case Selector():
                return self._level(node)
            case Matrix():
                return self._window(node)
            case Call():
                return replace(node, args=tuple(self.node(arg) for arg in node.args))
            case Aggregate():
                param = None if node.param is None else self.node(node.param)
                return replace(node, expr=self.node(node.expr), param=param)
            case Paren() | Unary() | Subquery():
                return replace(node, expr=self.node(node.expr))
            case Binary():
                return replace(node, lhs=self.node(node.lhs), rhs=self.node(node.rhs))
        return node

    def _level(self, node: Selector) -> Node:
        found = self._computed(node)
        if found is None:
            return node
        if not node.offset:
            return found
        # A point of a subquery lies on each evaluation: the last one is that of the moment `offset` ago.
        return Call("last_over_time", (Subquery(found, self.step_ms, self.step_ms, node.offset),))

    def _window(self, node: Matrix) -> Node:
        found = self._computed(node.selector)
        return node if found is None else Subquery(found, node.range, self.step_ms, node.selector.offset)

    def _computed(self, node: Selector) -> Node | None:
        """What a selector selects, computed, in parentheses; None where it is no recording."""
        name = _name(node)
        if name in _OF_ALERTS:
            raise _refusal(node, "reads what a server records about its alerts")
        if not name and self.recordings:
            raise _refusal(node, "does not name one metric, and might read a recording")
        rules = [rule for rule in self.recordings if rule.name == name]
        if not rules:
            return None
        if node.at:
            raise _refusal(node, "reads a recording at a fixed instant")
        if name in self.within:
            raise _refusal(node, "is a recording that reads itself")
        inner = replace(self, within=(*self.within, name))
        each = [_labelled(Paren(inner.node(parse(rule.expr))), rule.labels) for rule in rules]
        matchers = [m for m in node.matchers if m.name != "__name__"]
        return Paren(reduce(_filtered, matchers, reduce(lambda a, b: Paren(Binary("or", a, b)), each)))


def _labelled(node: Node, labels: Mapping[str, str]) -> Node:
    return reduce(lambda n, label: _with_label(n, *label), labels.items(), node)


def _with_label(node: Node, name: str, value: str) -> Node:
    literal = value.replace("$", "$$")  # in a replacement, `$1` is a group of the pattern
    return Call("label_replace", (node, String(name), String(literal), String(""), String("")))


def _filtered(node: Node, matcher: Matcher) -> Node:
    """The elements that a matcher lets through: those with the label of one element that has it."""
    if matcher.op not in ("=", "!="):
        raise TimescaleError(
            "chooses among a recording's series by a pattern",
            construct=f"{matcher.name}{matcher.op}",
            remedy="choose in the recording",
        )
    like = _with_label(Call("vector", (Number(1.0),)), matcher.name, matcher.value)
    op = "and" if matcher.op == "=" else "unless"
    return Paren(Binary(op, node, like, Matching("on", (matcher.name,))))


def _refusal(node: Selector, reason: str) -> TimescaleError:
    return TimescaleError(reason, construct=render(node), remedy="write out what it stands for")
