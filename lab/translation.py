"""A learner's files under the lab's names of metrics and jobs: PromQL through its syntax tree, YAML in place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab import serveryaml
from lab.names import SUFFIXES, Names
from lab.timescale.errors import TimescaleError
from lab.timescale.promql import printed
from lab.timescale.rules import rewrite_rules
from lab.timescale.tree import Aggregate, Binary, Call, Matcher, Matrix, Node, Paren, Selector, Subquery, Unary, parse


def translate_expr(expr: str, names: Names) -> str:
    """PromQL with our names in place of theirs; the text as it is where nothing changes.

    Raises TimescaleError for a pattern that would match one of theirs, InputError for what does not parse.
    """
    original = parse(expr)
    found = _node(original, names)
    return expr if found == original else printed(found)


def _node(node: Node, names: Names) -> Node:
    match node:
        case Selector():
            return _selector(node, names)
        case Matrix(selector, range_ms):
            return Matrix(_selector(selector, names), range_ms)
        case Call():
            return replace(node, args=tuple(_node(arg, names) for arg in node.args))
        case Aggregate():
            param = None if node.param is None else _node(node.param, names)
            return replace(node, expr=_node(node.expr, names), param=param)
        case Paren() | Unary() | Subquery():
            return replace(node, expr=_node(node.expr, names))
        case Binary():
            return replace(node, lhs=_node(node.lhs, names), rhs=_node(node.rhs, names))
    return node


def _selector(selector: Selector, names: Names) -> Selector:
    matchers = tuple(_matcher(m, names) for m in selector.matchers)
    return replace(selector, name=names.series(selector.name), matchers=matchers)


def _matcher(matcher: Matcher, names: Names) -> Matcher:
    ours = {"__name__": names.series, "job": names.job}.get(matcher.name)
    if ours is None:
        return matcher
    if matcher.op in ("=", "!="):
        return replace(matcher, value=ours(matcher.value))
    parts = matcher.value.split("|")  # a choice of names, which is what a pattern of a job mostly is
    if all(re.fullmatch(r"[\w:-]+", part) for part in parts):
        return replace(matcher, value="|".join(map(ours, parts)))
    theirs = names.by_series() if matcher.name == "__name__" else names.jobs.values()
    try:
        met = next((name for name in theirs if re.fullmatch(matcher.value, name)), None)
    except re.error:  # RE2 knows what Python does not; the server judges it
        met = None
    if met is None:
        return matcher
    raise TimescaleError(
        f"is a pattern that {met} matches, whose name is mapped",
        construct=f'{matcher.name}{matcher.op}"{matcher.value}"',
        remedy="write the names out, with | between them",
    )


def translate_rules(text: str, names: Names, *, filename: str = "rules.yml") -> str:
    """A rules file with our names in its expressions and of what it records; labels and annotations stay.

    Raises TimescaleError with file, line and rule.
    """
    if not names:
        return text
    return rewrite_rules(text, lambda expr: translate_expr(expr, names), names.series, filename=filename)


def translate_dashboard(text: str, names: Names) -> str:
    """A dashboard whose queries have our names. Raises `ValueError` for text that is no JSON."""
    return json.dumps(_queries(json.loads(text), names), indent=2) + "\n" if names else text


def _queries(found: Any, names: Names) -> Any:
    if isinstance(found, list):
        return [_queries(one, names) for one in found]
    if not isinstance(found, dict):
        return found
    said = {key: _queries(value, names) for key, value in found.items()}
    if isinstance(said.get("expr"), str) and said["expr"]:
        try:
            said["expr"] = translate_expr(said["expr"], names)
        except TimescaleError as error:
            raise ValueError(f"{said['expr']!r}: {error}") from error
    return said


def translate_scrapes(text: str, names: Names, *, first: bool) -> str:
    """A configuration of Prometheus that takes their series and jobs under our names.

    `first`: before the configuration's own metric relabelling (which knows our names), else after it (theirs).
    """
    if not names:
        return text
    config = serveryaml.load(text) or {}
    for job in config.get("scrape_configs") or []:
        job["job_name"] = names.job(str(job.get("job_name", "")))
        own = job.get("metric_relabel_configs") or []
        renamed = [_relabelling(ours, yours) for ours, yours in names.metrics.items()]
        job["metric_relabel_configs"] = [*renamed, *own] if first else [*own, *renamed]
        _ask_for(job.get("params") or {}, names)
    return serveryaml.dump(config)


def _relabelling(ours: str, yours: str) -> Mapping[str, object]:
    ends = "|".join(SUFFIXES)
    return {
        "source_labels": ["__name__"], "regex": f"{re.escape(yours)}({ends})?", "target_label": "__name__",
        "replacement": f"{ours}$1",
    }  # fmt: skip


def _ask_for(params: dict[str, list[str]], names: Names) -> None:
    """Where a scrape asks for series by their names, it asks for theirs, too."""
    asked = params.get("name[]", [])
    theirs = {ours: yours for yours, ours in names.by_series().items()}
    asked.extend([theirs[name] for name in asked if name in theirs])
