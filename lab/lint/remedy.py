"""A `metric_relabel_configs` that keeps the worst out of Prometheus until the code is fixed."""

from __future__ import annotations

import json
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
        # Prometheus before 3.0 compiles it so that `.` is no line end, which texts have.
        regex = f"{page.families[metric].samples};(?s:.+)"
        lines += [
            f"  - source_labels: [__name__, {_yaml(label)}]",
            f"    regex: {_quoted(regex)}",
            "    action: drop",
        ]
    return "\n".join(lines) + "\n"


def _yaml(label: str) -> str:
    return label if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) else _quoted(label)


def _quoted(text: str) -> str:
    if not text.isprintable():  # a name of a page's: escaped, as YAML wants it and a terminal bears it
        return json.dumps(text)
    return "'" + text.replace("'", "''") + "'"
