"""Rule `value-shape`: values that look like ids, timestamps, UUIDs, addresses or text will go on without a bound.

It sees them before there are many. Two values that differ are proof; one alone may be a constant of the process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from heapq import nsmallest

from lab.lint.exposition import shown, unescaped
from lab.lint.finding import Finding, Level
from lab.lint.page import Page

RULE = "value-shape"
SAMPLE = 200
"""Values of a label that are looked at."""
SHARE = 0.5
"""Share of a label's values that must have the shape."""
LONG_TEXT = 40

SHAPES = {
    "a UUID": re.compile(r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?", re.IGNORECASE),
    # Unix time of this century in s, ms, us or ns; or a date with a time.
    "a timestamp": re.compile(
        r"[1-4]\d{9}(?:\.\d+)?|[1-4]\d{12}|[1-4]\d{15}|[1-4]\d{18}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*"
    ),
    "an e-mail address": re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+", re.IGNORECASE),
    "an id": re.compile(
        r"\d{6,}|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,}|[a-z]+[-_/#]?\d{4,}|[a-z]{1,8}[-_](?=\w*\d)[a-z0-9]{16,}",
        re.IGNORECASE,
    ),
    "text": re.compile(r"\S+(?:\s+\S+){3,}"),
}


def shape_of(value: str) -> str:
    """What a value looks like; nothing where it is a plain word."""
    return next((name for name, pattern in SHAPES.items() if pattern.fullmatch(value)), "")


def check(page: Page) -> Iterator[Finding]:
    """Labels most of whose values have one shape. An info metric may carry ids: it has one series a process."""
    for family in page.families.values():
        if family.name.endswith("_info") and family.series == 1:
            continue
        for label, values in family.labels.items():
            shape, example = _common(values)
            if not shape:
                continue
            proven = len(values) > 1 and (shape != "text" or len(example) >= LONG_TEXT)
            level = Level.ERROR if proven else Level.WARNING
            said = f'values look like {shape}, such as "{shown(example.encode())}"'
            yield Finding(level, RULE, family.name, label, said)


def _common(values: Iterable[bytes]) -> tuple[str, str]:
    """The shape that most of the values have, and the longest that has it."""
    looked = [unescaped(value) for value in nsmallest(SAMPLE, values)]  # of a set: the same ones each time
    by_shape: dict[str, list[str]] = {}
    for value in looked:
        by_shape.setdefault(shape_of(value), []).append(value)
    # Of two that are as common text is the weaker finding.
    shape = max(by_shape, key=lambda name: (bool(name), len(by_shape[name]), name != "text", name), default="")
    if not shape or len(by_shape[shape]) < SHARE * len(looked):
        return "", ""
    return shape, max(by_shape[shape], key=lambda value: (len(value), value))
