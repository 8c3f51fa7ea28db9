"""Compresses the time in a Prometheus rule file; labels, annotations, templates and comments stay as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yaml.nodes import Node

from lab.timescale.durations import Duration, check_speed
from lab.timescale.errors import TimescaleError
from lab.timescale.promql import compress_expr
from lab.timescale.units import ANNOTATION, Meaning, parse_meanings
from lab.timescale.windows import MIN_SCRAPES, SCRAPE_INTERVAL_S
from lab.timescale.yamltext import YamlText, is_null, line_of

MIN_FOR_S = 6.0
"""Wall seconds: an ordinary redeploy leaves a gap of 2 to 3 s and needs a scrape more to be over (measured)."""


@dataclass(frozen=True)
class _Rule:
    """One rule of the file as its YAML nodes."""

    name: str
    line: int
    recorded: bool
    parts: dict[str, Node]
    meanings: frozenset[Meaning]


def compress_rules(
    text: str,
    speed: float,
    *,
    filename: str = "rules.yml",
    scrape_interval_s: float = SCRAPE_INTERVAL_S,
    min_scrapes: int = MIN_SCRAPES,
    min_for_s: float | None = MIN_FOR_S,
) -> str:
    """The same rules, `speed` times faster: intervals, `query_offset`, `for`, `keep_firing_for`, expressions.

    A rule whose `for` would become shorter than `min_for_s` wall seconds is refused, unless it is annotated
    `lab_timescale: short_for`; None turns the check off. `scrape_interval_s` (production) and `min_scrapes` are as for
    `compress_expr`. At speed 1 the text comes back as it is, once it has proved to be a rule file.

    Raises TimescaleError with file, line, rule, construct and remedy; InputError for a file that is no rule file.
    """
    check_speed(speed)
    doc = YamlText(text, filename)
    for group in _groups(doc):
        for key in ("interval", "query_offset"):
            if key in group:
                doc.replace(group[key], str(doc.duration(group[key], key).compressed(speed)))
        for rule in _rules(doc, group):
            try:
                _compress_rule(doc, rule, speed, min_for_s)
                expr = doc.scalar(rule.parts["expr"], "expr")
                shorter = compress_expr(
                    expr,
                    speed,
                    scrape_interval_s=scrape_interval_s,
                    min_scrapes=min_scrapes,
                    meanings=rule.meanings,
                    recorded=rule.recorded,
                )
            except TimescaleError as error:
                raise error.located(rule=rule.name, filename=filename, line=rule.line) from None
            doc.replace(rule.parts["expr"], shorter, quoted=True)
    return text if speed == 1 else doc.result()


def rewrite_rules(
    text: str, expr: Callable[[str], str], recorded: Callable[[str], str], *, filename: str = "rules.yml"
) -> str:
    """The same rules with `expr` applied to each expression and `recorded` to the name of each recording.

    Raises what `expr` raises, a TimescaleError with file, line and rule; InputError for a file that is no rule file.
    """
    doc = YamlText(text, filename)
    for group in _groups(doc):
        for rule in _rules(doc, group):
            try:
                doc.replace(rule.parts["expr"], expr(doc.scalar(rule.parts["expr"], "expr")), quoted=True)
            except TimescaleError as error:
                raise error.located(rule=rule.name, filename=filename, line=rule.line) from None
            if rule.recorded:
                doc.replace(rule.parts["record"], recorded(rule.name))
    return doc.result()


def max_speed(text: str, *, filename: str = "rules.yml", min_for_s: float = MIN_FOR_S) -> float:
    """Highest speed at which every `for` above 0 still lasts `min_for_s` wall seconds; inf without any `for`.

    Rules annotated `short_for` do not count. Never below 1: real time changes nothing.
    """
    doc = YamlText(text, filename)
    speeds = [
        _highest_speed(doc.duration(rule.parts["for"], "for"), min_for_s)
        for group in _groups(doc)
        for rule in _rules(doc, group)
        if "for" in rule.parts and Meaning.SHORT_FOR not in rule.meanings
    ]
    return min(speeds, default=math.inf)


def _highest_speed(for_: Duration, min_for_s: float) -> float:
    return max(1.0, for_.seconds / min_for_s) if for_.milliseconds else math.inf


def _compress_rule(doc: YamlText, rule: _Rule, speed: float, min_for_s: float | None) -> None:
    for key in ("for", "keep_firing_for"):
        if key not in rule.parts:
            continue
        span = doc.duration(rule.parts[key], key)
        if key == "for" and min_for_s and Meaning.SHORT_FOR not in rule.meanings:
            _refuse_short_for(span, speed, min_for_s)
        doc.replace(rule.parts[key], str(span.compressed(speed)))


def _refuse_short_for(span: Duration, speed: float, min_for_s: float) -> None:
    highest = _highest_speed(span, min_for_s)
    if speed <= highest:
        return
    raise TimescaleError(
        f"becomes {span.seconds / speed:.3g} s at speed {speed:g}, shorter than the gap of an ordinary redeploy "
        f"({min_for_s:g} s)",
        construct=f"for: {span}",
        remedy=f"the highest speed for this rule is {math.floor(highest * 100) / 100:g}, or annotate it "
        f"{ANNOTATION}: {Meaning.SHORT_FOR} if such a gap cannot make it fire",
    )


def _groups(doc: YamlText) -> Iterator[dict[str, Node]]:
    if doc.root is None:
        return
    root = doc.entries(doc.root, "a rule file")
    if "groups" not in root and root:
        raise doc.error(doc.root, "no rule file: it has no `groups`")
    for group in doc.items(root.get("groups"), "groups"):
        yield {key: value for key, value in doc.entries(group, "a group").items() if not is_null(value)}


def _rules(doc: YamlText, group: dict[str, Node]) -> Iterator[_Rule]:
    for node in doc.items(group.get("rules"), "rules"):
        parts = {key: value for key, value in doc.entries(node, "a rule").items() if not is_null(value)}
        title = parts.get("alert", parts.get("record"))
        if title is None or "expr" not in parts:
            raise doc.error(node, "a rule needs `alert` or `record`, and `expr`")
        name = doc.scalar(title, "a rule's name")
        yield _Rule(name, line_of(node), "record" in parts, parts, _meanings(doc, parts, name))


def _meanings(doc: YamlText, parts: dict[str, Node], name: str) -> frozenset[Meaning]:
    annotations = doc.entries(parts["annotations"], "annotations") if "annotations" in parts else {}
    if ANNOTATION not in annotations:
        return frozenset()
    node = annotations[ANNOTATION]
    try:
        return parse_meanings(doc.scalar(node, ANNOTATION))
    except TimescaleError as error:
        raise error.located(rule=name, filename=doc.filename, line=line_of(node)) from None
