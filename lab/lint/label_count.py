"""Rule `label-count`: a label with more than 10 values deserves a look, one with more than 100 is an error."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lint.finding import Finding, Level
from lab.lint.page import MAX_VALUES, Page

RULE = "label-count"
LOOK, ERROR = 10, 100


def check(page: Page) -> Iterator[Finding]:
    """Labels by the number of their values on one metric."""
    for family in page.families.values():
        for label, values in family.labels.items():
            if len(values) <= LOOK:
                continue
            level = Level.ERROR if len(values) > ERROR else Level.WARNING
            count = f"{MAX_VALUES:,} or more" if len(values) >= MAX_VALUES else f"{len(values):,}"
            limit = ERROR if level is Level.ERROR else LOOK
            yield Finding(level, RULE, family.name, label, f"{count} values, over {limit}; {family.series:,} series")
