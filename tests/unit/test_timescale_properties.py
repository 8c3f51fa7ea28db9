"""Properties that hold for every expression and speed, found or refuted by search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lab.timescale import compress_expr
from lab.timescale.printer import render
from lab.timescale.strings import quote
from lab.timescale.tree import Matrix, Node, Number, Selector, String, Subquery, parse
from lab.timescale.windows import Windows

SPEEDS = st.sampled_from([1, 1.5, 2, 7, 10, 15, 20, 60, 120])
SPANS = st.sampled_from(["1s", "10s", "15s", "1m", "90s", "5m", "10m", "1h", "1h30m500ms", "1d"])
NAMES = st.sampled_from(["up", "a:b:c", "x_total", "offset", "sum"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x1F9FF), max_size=8)
LABELS = st.sampled_from(["job", "le", "on", "by", "a.b", "é", "9x"])
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def _label(name: str) -> str:
    return name if name in ("job", "le", "on", "by") else quote(name)


@st.composite
def selectors(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(st.tuples(LABELS, st.sampled_from(["=", "!="]), TEXTS), max_size=2))
    inner = ",".join(f"{_label(name)}{op}{quote(value)}" for name, op, value in pairs)
    return draw(NAMES) + "{" + inner + "}"


def offsets() -> st.SearchStrategy[str]:
    return st.just("") | st.builds(" offset {}{}".format, st.sampled_from(["", "-"]), SPANS)


def vectors() -> st.SearchStrategy[str]:
    """Expressions that keep their meaning under compression, so that none is refused."""
    level = st.builds("{}{}".format, selectors(), offsets())
    window = st.builds(
        "{}({}[{}]{})".format,
        st.sampled_from(["rate", "deriv", "present_over_time", "max_over_time", "avg_over_time"]),
        selectors(),
        SPANS,
        offsets(),
    )
    return st.recursive(level | window, _combined, max_leaves=6)


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    number = NUMBERS.map(lambda value: render(Number(value)))
    return st.one_of(
        st.builds("max_over_time(({})[{}:{}]{})".format, inner, SPANS, SPANS | st.just(""), offsets()),
        st.builds("sum by ({}) ({})".format, LABELS.map(_label), inner),
        st.builds("topk(3, {})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["+", "/", "and", "unless on (job)", "> bool"]), inner),
        st.builds("({}) {} {}".format, inner, st.sampled_from(["*", ">", "<= bool", "^"]), number),
    )


def nodes(tree: object) -> Iterator[object]:
    """Every node of a tree, parents first."""
    if isinstance(tree, tuple):
        for item in tree:
            yield from nodes(item)
    elif is_dataclass(tree):
        yield tree
        for field in fields(tree):
            yield from nodes(getattr(tree, field.name))


def windows(tree: Node) -> list[int]:
    return [node.range for node in nodes(tree) if isinstance(node, Matrix | Subquery)]


def shifts(tree: Node) -> list[int]:
    steps = [node.step for node in nodes(tree) if isinstance(node, Subquery) and node.step is not None]
    return [node.offset for node in nodes(tree) if isinstance(node, Selector | Subquery)] + steps


@given(vectors())
def test_printing_and_parsing_is_the_identity(expr: str) -> None:
    tree = parse(expr)
    assert parse(render(tree)) == tree


@given(TEXTS)
def test_any_string_survives_quoting(text: str) -> None:
    assert parse(quote(text)) == String(text)
    assert quote(text).isprintable()


@given(TEXTS.filter(lambda text: "`" not in text))
def test_nothing_is_an_escape_between_back_quotes(text: str) -> None:
    assert parse(f"`{text}`") == String(text)


@given(vectors(), SPEEDS)
def test_only_times_change(expr: str, speed: float) -> None:
    before, after = parse(expr), parse(compress_expr(expr, speed))
    assert _timeless(before) == _timeless(after)


def _timeless(tree: Node) -> list[object]:
    blank: list[object] = []
    for node in nodes(tree):
        match node:
            case Subquery():
                blank.append((type(node), node.at, node.step is None))
            case Matrix():
                blank.append(type(node))
            case Selector():
                blank.append(replace(node, offset=0))
            case _:
                blank.append([type(node), *(getattr(node, f.name) for f in fields(node) if _is_leaf(node, f.name))])  # type: ignore[arg-type]
    return blank


def _is_leaf(node: object, name: str) -> bool:
    return isinstance(getattr(node, name), str | float | bool)


@given(vectors(), SPEEDS.filter(lambda speed: speed > 1))
def test_windows_are_divided_and_rounded_up_to_whole_seconds(expr: str, speed: float) -> None:
    before, after = parse(expr), parse(compress_expr(expr, speed))
    for old, new in zip(windows(before), windows(after), strict=True):
        exact = Fraction(old) / Fraction(speed)
        assert new <= old
        assert new >= exact or new == old
        assert new % 1000 == 0 or new == old
        assert new < max(exact, 45_000 / Fraction(speed)) + 1000


@given(vectors(), SPEEDS)
def test_every_range_selector_holds_enough_scrapes_or_is_as_it_was(expr: str, speed: float) -> None:
    def ranges(text: str) -> list[int]:
        return [node.range for node in nodes(parse(text)) if isinstance(node, Matrix)]

    for old, new in zip(ranges(expr), ranges(compress_expr(expr, speed, min_scrapes=5)), strict=True):
        assert new == old or new >= 5 * 15_000 / speed - 1


@given(vectors(), SPEEDS)
def test_offsets_and_steps_are_divided_to_the_millisecond(expr: str, speed: float) -> None:
    before, after = parse(expr), parse(compress_expr(expr, speed))
    for old, new in zip(shifts(before), shifts(after), strict=True):
        assert abs(new - old / speed) <= 0.5 or (old and abs(new) == 1)


@given(vectors())
def test_speed_one_is_the_identity(expr: str) -> None:
    assert compress_expr(expr, 1) == expr
    tree = parse(expr)
    assert all(Windows(1.0).shift_ms(ms) == ms for ms in shifts(tree))


@given(vectors(), SPEEDS, SPEEDS)
def test_twice_is_once_within_rounding(expr: str, first: float, second: float) -> None:
    once = parse(compress_expr(expr, first * second))
    half = compress_expr(expr, first)
    twice = parse(compress_expr(half, second, scrape_interval_s=15 / first))
    assert _timeless(once) == _timeless(twice)
    for one, two in zip(windows(once), windows(twice), strict=True):
        assert one <= two + 1 and two - one <= 1000 * math.ceil(1 + 1 / second)
