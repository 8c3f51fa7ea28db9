"""Rule `growth`: a label that has new values at the second scrape goes on like that."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lint.finding import Finding, Level
from lab.lint.page import Page

RULE = "growth"
LOOK, ERROR = 2, 10
"""New values: after a start, a few bounded ones appear."""


def check(first: Page, second: Page, seconds: float) -> Iterator[Finding]:
    """Labels by their new values, `seconds` apart. Labels with too many values to tell apart are errors already."""
    for family in second.families.values():
        before = first.families.get(family.name)
        for label, values in family.labels.items():
            old = before.labels.get(label, set()) if before else set()
            new = len(values - old)
            if before is None or new <= LOOK:
                continue
            level = Level.ERROR if new > ERROR else Level.WARNING
            more = family.series - before.series
            yield Finding(level, RULE, family.name, label, f"{new:,} new values in {seconds:g} s; {more:+,} series")
