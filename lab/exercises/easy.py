"""The judge of a dashboard: judged by its expressions, not by how it looks.

`query_rate`, `p95` and `hit_ratio` say what is wrong with an expression; nothing where it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.errors import UsageError
from lab.exercises import answers
from lab.exercises.panels import Query, queries
from lab.exercises.points import Point, point
from lab.timescale import Duration
from lab.timescale.tree import Aggregate, Binary, Call, Matcher, Matrix, Node, Number, Paren, Selector

DASHBOARD, CONFIG = "dashboard.json", "prometheus.yml"
QUERIES, DURATIONS = "rag_queries_total", "rag_query_duration_seconds_bucket"
TARGET = "rag:8001"
SCRAPE_MS = 15_000
SHORTEST_MS = 4 * SCRAPE_MS
"""Of a window: a scrape may fail, and a rate needs two samples."""
HIT = Matcher("=", "cache_status", "hit")


def judge(folder: Path) -> list[Point]:
    """The points of an answer. Raises `UsageError` where a file is missing or is none."""
    asked = queries(answers.text(folder, DASHBOARD), DASHBOARD)
    return [
        _scraped(answers.text(folder, CONFIG)),
        _best("query rate", asked, query_rate, ("reqps", "ops", "cps", "short", "none"), QUERIES),
        _best("p95 latency", asked, p95, ("s",), "histogram_quantile"),
        _best("cache hit ratio", asked, hit_ratio, ("percentunit",), "cache_status"),
    ]


def _best(
    name: str, asked: Sequence[Query], judged: Callable[[Node], str], units: tuple[str, ...], about: str
) -> Point:
    """The point of the query that comes nearest: a right one, else the first that is about it, else any."""
    verdicts = [(query, judged(query.node) if query.node is not None else query.why) for query in asked]
    right = [query for query, verdict in verdicts if not verdict]
    if right:
        readable = [query for query in right if query.unit in units]
        query = (readable or right)[0]
        unit = query.unit or "none"
        return point(
            name, bool(readable), f"{query.panel}: unit {unit}", f"the expression is right: set its unit to {units[0]}"
        )
    words = name.split()
    near = [one for one in verdicts if all(word in one[0].panel.lower() for word in words)]
    near = near or [one for one in verdicts if about in one[0].expr]
    if not near:
        return point(name, False, "no panel asks for it", f"add a panel whose expression has {about} in it")
    query, verdict = near[0]
    return point(name, False, f"{query.panel}: {query.expr}", verdict)


def query_rate(node: Node) -> str:
    """Of `sum(rate(rag_queries_total[5m]))`."""
    summed = _bare(node)
    if isinstance(summed, Call) and summed.name == "rate" and not isinstance(summed.args[0], Matrix):
        return (
            "rate() first, then sum(): a sum of counters falls with each restart, which rate() takes for a reset of all"
        )
    if not isinstance(summed, Aggregate) or summed.op != "sum":
        return "one line for the service: sum() over its instances and label values"
    return _rate(summed.expr, QUERIES) or _only(summed.expr, ())


def p95(node: Node) -> str:
    """Of `histogram_quantile(0.95, sum by (le) (rate(rag_query_duration_seconds_bucket[5m])))`."""
    call = _bare(node)
    if not isinstance(call, Call) or call.name != "histogram_quantile":
        return "a quantile of a histogram is histogram_quantile(): averages of quantiles, and of averages, are none"
    quantile, buckets = (_bare(argument) for argument in call.args)
    if quantile != Number(0.95):
        return "the 95th percentile is the quantile 0.95"
    if not isinstance(buckets, Aggregate) or buckets.op != "sum":
        return "add the buckets of all instances first: sum by (le) (rate(...)), inside histogram_quantile()"
    if buckets.grouping != "by" or "le" not in buckets.labels:
        return "the sum has lost the buckets' bounds: by (le)"
    if set(buckets.labels) - {"le", "job"}:
        return (
            f"one line for the service: sum by (le), without {', '.join(sorted(set(buckets.labels) - {'le', 'job'}))}"
        )
    return _rate(buckets.expr, DURATIONS) or _only(buckets.expr, ())


def hit_ratio(node: Node) -> str:
    """Of `sum(rate(rag_queries_total{cache_status="hit"}[5m])) / sum(rate(rag_queries_total[5m]))`."""
    ratio = _bare(node)
    if not isinstance(ratio, Binary) or ratio.op != "/":
        return "a ratio of a few minutes is a rate divided by a rate; the gauge counts since the start of each process"
    hits, everything = _bare(ratio.lhs), _bare(ratio.rhs)
    for side in (hits, everything):
        if not isinstance(side, Aggregate) or side.op != "sum":
            return "add first, then divide: sum(rate(...)) / sum(rate(...)); labels on both sides must match"
        wrong = _rate(side.expr, QUERIES)
        if wrong:
            return wrong
    assert isinstance(hits, Aggregate)
    assert isinstance(everything, Aggregate)
    if (hits.grouping, hits.labels) != (everything.grouping, everything.labels) or "cache_status" in hits.labels:
        return "aggregate both sides by the same labels, and not by cache_status: a hit finds no partner among misses"
    if _only(hits.expr, (HIT,)):
        return 'above the line: hits, cache_status="hit", and no other restriction'
    if _only(everything.expr, ()):
        return "below the line: all queries; hits divided by misses is no ratio of the whole"
    same = _window(hits.expr) == _window(everything.expr)
    return "" if same else "both sides need the same window"


def _rate(node: Node, metric: str) -> str:
    call = _bare(node)
    if not isinstance(call, Call) or call.name != "rate":
        return f"{metric} only ever grows, and falls to 0 with a restart: take rate() of it, before any sum"
    matrix = call.args[0]
    if not isinstance(matrix, Matrix) or matrix.selector.name != metric:
        return f"the counter is {metric}"
    if matrix.range < SHORTEST_MS:
        return f"a window of {matrix.range // 1000} s holds too few scrapes of 15 s: take 1m or more"
    return ""


def _only(node: Node, matchers: tuple[Matcher, ...]) -> str:
    """Whether the selector has these matchers, one for the job aside."""
    found = tuple(m for m in _selector(node).matchers if m.name != "job")
    return "" if set(found) == set(matchers) else "that is a part of the queries: leave the matchers away"


def _selector(node: Node) -> Selector:
    call = _bare(node)
    assert isinstance(call, Call)
    matrix = call.args[0]
    assert isinstance(matrix, Matrix)
    return matrix.selector


def _window(node: Node) -> int:
    call = _bare(node)
    return call.args[0].range if isinstance(call, Call) and isinstance(call.args[0], Matrix) else 0


def _bare(node: Node) -> Node:
    return _bare(node.expr) if isinstance(node, Paren) else node


def _scraped(text: str) -> Point:
    interval = _interval(text)
    observed = f"{TARGET} is not scraped" if interval is None else f"{TARGET} every {interval.milliseconds / 1000:g} s"
    return point(
        "scraped every 15 s", interval is not None and interval.milliseconds == SCRAPE_MS, observed,
        f"a job with the target {TARGET}, and scrape_interval: 15s (left out, it is a minute)",
    )  # fmt: skip


def _interval(text: str) -> Duration | None:
    """Of the job that scrapes the service. Raises `UsageError` where it is no configuration."""
    try:
        document: Any = yaml.safe_load(text)
        default = (document.get("global") or {}).get("scrape_interval", "1m")
        for job in document.get("scrape_configs") or []:
            targets = [t for group in job.get("static_configs") or [] for t in group.get("targets") or []]
            if TARGET in targets:
                return Duration.parse(str(job.get("scrape_interval", default)))
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{CONFIG}: not a configuration of Prometheus: {str(error).splitlines()[0]}") from error
    return None
