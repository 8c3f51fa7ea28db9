"""`lab lint metrics`: all rules on one page, or on two of the same URL, and what comes of it as text and JSON."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lab.errors import UsageError
from lab.lint import growth, label_count, required, value_shape
from lab.lint.exposition import ExpositionError
from lab.lint.finding import Finding, Level
from lab.lint.page import Page, survey
from lab.lint.remedy import relabelling
from lab.lint.source import check_timeout, check_url, is_file, is_url, pages

MAX_INTERVAL_S = 600.0


@dataclass(frozen=True)
class Report:
    """What was found on a page, the worst first; `relabel`: a configuration that keeps it out."""

    target: str
    metrics: int
    series: int
    findings: tuple[Finding, ...]
    relabel: str

    @property
    def exit_code(self) -> int:
        """1 where there is an error, else 0."""
        return int(any(f.level is Level.ERROR for f in self.findings))

    def to_text(self) -> str:
        """For people."""
        lines = [f"{f.level.value:8}{f.where}: {f.text} [{f.rule}]" for f in self.findings]
        if self.relabel:
            lines += [
                "", "Fix the code: ids, texts and moments belong in logs. Until then, this keeps those series out",
                "of Prometheus (not out of the service's memory):", "", self.relabel,
            ]  # fmt: skip
        errors = sum(f.level is Level.ERROR for f in self.findings)
        warnings = len(self.findings) - errors
        total = f"{self.target}: {self.series:,} series of {self.metrics:,} metrics"
        return "\n".join([*lines, f"{total}; {errors} errors, {warnings} warnings"]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "target": self.target,
            "metrics": self.metrics,
            "series": self.series,
            "findings": [
                {"level": f.level.value, "rule": f.rule, "metric": f.metric, "label": f.label, "text": f.text}
                for f in self.findings
            ],
            "metric_relabel_configs": self.relabel,
            "exit_code": self.exit_code,
        }


def lint(target: str, *, require: tuple[str, ...] = (), interval_s: float = 0.0, timeout_s: float = 30.0) -> Report:
    """Lint a page; with `interval_s` a second time, so many seconds later. Raises `UsageError` on what is no page."""
    if not is_file(target):
        check_url(target)
    check_timeout(timeout_s)
    if interval_s and not is_url(target):
        raise UsageError(f"--interval: {target} is a file, and does not change; give a URL")
    if not 0 <= interval_s <= MAX_INTERVAL_S:
        raise UsageError(f"--interval {interval_s:g}: not between 0 and {MAX_INTERVAL_S:g} seconds")
    page, grown = _page(target, timeout_s), []
    if interval_s:
        first = page
        time.sleep(interval_s)
        page = _page(target, timeout_s)
        grown = list(growth.check(first, page, interval_s))
    found = [*required.check(page, require), *grown, *label_count.check(page), *value_shape.check(page)]
    found.sort(key=lambda f: (f.level is not Level.ERROR, f.metric, f.label))
    return Report(target, len(page.families), page.series, tuple(found), relabelling(page, found))


def _page(target: str, timeout_s: float) -> Page:
    try:
        return survey(pages(target, timeout_s))
    except ExpositionError as error:
        raise UsageError(f"{target}: {error}") from error
