"""What the panels of a dashboard ask, with Grafana's variables put in. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from lab.errors import UsageError
from lab.timescale.errors import InputError
from lab.timescale.tree import Node, parse

RATE_INTERVAL = "1m"
"""Grafana's `$__rate_interval`: four scrapes of 15 s."""
MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Query:
    """One query of a panel. `node` is None where it does not parse; `why` says why. `unit` as Grafana names it."""

    panel: str
    expr: str
    unit: str
    node: Node | None
    why: str = ""


def queries(text: str, name: str) -> list[Query]:
    """All queries, of panels inside rows, too. Raises `UsageError` where it is no dashboard."""
    if len(text) > MAX_BYTES:
        raise UsageError(f"{name}: larger than {MAX_BYTES} characters")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: not JSON: {error}; export it again") from error
    if not isinstance(document, dict) or not isinstance(document.get("panels"), list):
        raise UsageError(f"{name}: not a dashboard: an object with a list of panels; export it again")
    try:
        variables = _variables(document)
        return [query for panel in _panels(document) for query in _queries(panel, variables)]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # JSON, but of other types than Grafana's
        what = "panels, targets, fieldConfig or templating are not as Grafana writes them"
        raise UsageError(f"{name}: {what}; export it again, or compare it with the starter's") from error


def _panels(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    panels = [panel for panel in document.get("panels") or [] if isinstance(panel, dict)]
    inside = [one for panel in panels for one in panel.get("panels") or [] if isinstance(one, dict)]
    return [*panels, *inside]


def _queries(panel: Mapping[str, Any], variables: Mapping[str, str]) -> list[Query]:
    defaults = (panel.get("fieldConfig") or {}).get("defaults") or {}
    unit, title = str(defaults.get("unit") or ""), str(panel.get("title", ""))
    found = []
    for target in panel.get("targets") or []:
        if isinstance(target, dict) and target.get("expr"):
            expr = Template(str(target["expr"])).safe_substitute(variables)
            try:
                found.append(Query(title, expr, unit, parse(expr)))
            except InputError as error:
                found.append(Query(title, expr, unit, None, str(error)))
    return found


def _variables(document: Mapping[str, Any]) -> dict[str, str]:
    found = {"__rate_interval": RATE_INTERVAL, "__interval": "15s"}
    for variable in (document.get("templating") or {}).get("list") or []:
        if isinstance(variable, dict):
            current = variable.get("current")
            found[str(variable.get("name"))] = str(current.get("value")) if isinstance(current, dict) else ""
    return found
