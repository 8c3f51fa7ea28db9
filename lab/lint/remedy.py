"""A `metric_relabel_configs` that keeps the worst out of Prometheus until the code is fixed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lab.lint.finding import Finding, Level
from lab.lint.page import Page


def relabelling(page: Page, findings: Iterable[Finding]) -> str:
    """Drop every series that carries a label to blame; empty where no label is.

    Not `labeldrop`: it would leave series that no longer differ in anything, and the scrape would be refused.
    """
    blamed = dict.fromkeys((f.metric, f.label) for f in findings if f.label and f.level is Level.ERROR)
    if not blamed:
        return ""
    lines = ["metric_relabel_configs:"]
    for metric, label in blamed:
        regex = f"{page.families[metric].samples};.+"
        lines += [
            f"  - source_labels: [__name__, {_yaml(label)}]",
            f"    regex: {_single_quoted(regex)}",
            "    action: drop",
        ]
    return "\n".join(lines) + "\n"


def _yaml(label: str) -> str:
    return label if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) else _single_quoted(label)


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
