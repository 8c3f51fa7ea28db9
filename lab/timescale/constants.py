"""Arithmetic on the numbers written in an expression."""

from __future__ import annotations

from collections.abc import Callable

from lab.timescale.tree import Binary, Call, Node, Number, Paren, Unary

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def constant(node: Node) -> float | None:
    """The value of an expression of numbers only (also inside `vector()`), None for any other."""
    match node:
        case Number(value):
            return value
        case Paren(expr) | Call("vector", (expr,)):
            return constant(expr)
        case Unary(expr):
            value_or_none = constant(expr)
            return None if value_or_none is None else -value_or_none
        case Binary(op, lhs, rhs) if op in _ARITHMETIC:
            left, right = constant(lhs), constant(rhs)
            if left is None or right is None or (op == "/" and right == 0):
                return None
            return _ARITHMETIC[op](left, right)
    return None


def divided(node: Node, divisor: float) -> Node:
    """The node divided by `divisor`: numbers are computed, anything else becomes `((node) / divisor)`."""
    if divisor == 1:
        return node
    value = constant(node)
    if value is None:
        inner = node if isinstance(node, Paren | Call) else Paren(node)
        return Paren(Binary("/", inner, Number(divisor)))
    return _with_value(node, value / divisor)


def _with_value(node: Node, value: float) -> Node:
    """Put the number back where it stood: inside `vector()` it must stay a vector."""
    match node:
        case Paren(expr):
            return _with_value(expr, value)
        case Call("vector", _):
            return Call("vector", (Number(value),))
    return Number(value)
