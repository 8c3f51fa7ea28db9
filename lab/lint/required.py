"""Rule `required`: a metric that must be there is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from lab.lint.finding import Finding, Level
from lab.lint.page import Page

RULE = "required"


def check(page: Page, names: Iterable[str]) -> Iterator[Finding]:
    """Names of metrics as PromQL knows them, such as `rag_queries_total`, or of their families."""
    for name in names:
        if name not in page.metrics and not (name in page.families and page.families[name].series):
            near = get_close_matches(name, list(page.metrics)[:2000], 1, 0.7)
            yield Finding(Level.ERROR, RULE, name, "", f"missing{f'; there is {near[0]}' if near else ''}")
