"""The judge of a dashboard: judged by its expressions, not by how it looks.

`query_rate`, `p95` and `hit_ratio` say what is wrong with an expression; nothing where it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.errors import UsageError
from lab.exercises import answers
from lab.exercises.panels import Query, queries
from lab.exercises.points import Point, point
from lab.exercises.promtool import PromtoolMissingError, refused
from lab.timescale import Duration
from lab.timescale.tree import Aggregate, Binary, Call, Matcher, Matrix, Node, Number, Paren

DASHBOARD, CONFIG = "dashboard.json", "prometheus.yml"
QUERIES, DURATIONS = "rag_queries_total", "rag_query_duration_seconds_bucket"
JOB_NAME, TARGET = "rag", "rag:8001"
SCRAPE_MS = 15_000
SHORTEST_MS = 4 * SCRAPE_MS
"""Of a window: a scrape may fail, and a rate needs two samples."""
LONGEST_MS = 15 * 60_000
"""Of a window: a longer one hides what happens now, and each point of the panel reads all of its samples."""
HIT, JOB = Matcher("=", "cache_status", "hit"), Matcher("=", "job", JOB_NAME)
SERVED = {"metrics_path": "/metrics", "scheme": "http"}
"""Where the service has its metrics, which is also what Prometheus asks for by default."""


@dataclass(frozen=True)
class Job:
    """What scrapes the service. `odd`: settings with which it does not reach the metrics."""

    name: str
    interval: Duration
    odd: tuple[str, ...]


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
    return _rate(summed.expr, QUERIES) or _one_line(summed) or _only(summed.expr, ()) or _recent(summed.expr)


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
    return (
        _one_line(buckets, "le") or _rate(buckets.expr, DURATIONS) or _only(buckets.expr, ()) or _recent(buckets.expr)
    )


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
    return _one_line(hits) or _sides(hits.expr, everything.expr)


def _sides(hits: Node, everything: Node) -> str:
    """Whether both sides of the ratio are of the same service and the same time."""
    wrong = _job(hits) or _job(everything)
    if wrong:
        return wrong
    if _only(hits, (HIT,)):
        return 'above the line: hits, cache_status="hit", and no other restriction'
    if _only(everything, ()):
        return "below the line: all queries; hits divided by misses is no ratio of the whole"
    if (JOB in _matrix(hits).selector.matchers) != (JOB in _matrix(everything).selector.matchers):
        return f'both sides need the same service: job="{JOB_NAME}" on both, or on neither'
    if _matrix(hits).range != _matrix(everything).range:
        return "both sides need the same window"
    return _recent(hits) or _recent(everything)


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


def _one_line(summed: Aggregate, *kept: str) -> str:
    """Whether the sum is one line; by (job) is one, as the service is one job."""
    whole = f"sum by ({', '.join(kept)})" if kept else "sum()"
    if summed.grouping == "without":
        return f"one line for the service: {whole}; `without` keeps every label that it does not name"
    more = sorted(set(summed.labels) - {"job", *kept})
    return f"one line for the service: {whole}, without {', '.join(more)}" if more else ""


def _only(node: Node, matchers: tuple[Matcher, ...]) -> str:
    """Whether the selector has these matchers, that of the service's job aside."""
    found = set(_matrix(node).selector.matchers) - {JOB}
    return _job(node) or ("" if found == set(matchers) else "that is a part of the queries: leave the matchers away")


def _job(node: Node) -> str:
    other = [m for m in _matrix(node).selector.matchers if m.name == "job" and m != JOB]
    return f'the service is the job "{JOB_NAME}": job="{JOB_NAME}", or no matcher of the job' if other else ""


def _recent(node: Node) -> str:
    """Whether the window ends now and is short."""
    matrix = _matrix(node)
    if matrix.selector.offset or matrix.selector.at:
        return "the panel shows what is: leave `offset` and `@` away"
    if matrix.range > LONGEST_MS:
        return (
            f"a window of {Duration(matrix.range)} hides an outage of minutes, and each point reads all its samples "
            "(`lab show slow_queries`): take 15m or less"
        )
    return ""


def _matrix(node: Node) -> Matrix:
    """Of a `rate()`, which `_rate` has seen."""
    call = _bare(node)
    assert isinstance(call, Call)
    matrix = call.args[0]
    assert isinstance(matrix, Matrix)
    return matrix


def _bare(node: Node) -> Node:
    return _bare(node.expr) if isinstance(node, Paren) else node


def _scraped(text: str) -> Point:
    name = "scraped every 15 s"
    job = _scraping(text)
    try:
        refusal, unchecked = refused(text), ""
    except PromtoolMissingError as error:
        refusal, unchecked = "", f"; the rest of {CONFIG} was not checked: {error}"
    except answers.AnswerError as error:
        refusal, unchecked = str(error), ""
    if refusal:
        return point(name, False, refusal, f"Prometheus does not start with this {CONFIG}: correct what promtool names")
    if job is None:
        return point(name, False, f"{TARGET} is not scraped", f"a job `{JOB_NAME}` with the target {TARGET}")
    observed = f"{TARGET} every {job.interval.seconds:g} s"
    if job.interval.milliseconds != SCRAPE_MS:
        return point(name, False, observed, f"{TARGET} needs scrape_interval: 15s (left out, it is a minute)")
    if job.odd:
        wanted = ", ".join(f"{key}: {value}" for key, value in SERVED.items())
        return point(name, False, f"{observed} with {', '.join(job.odd)}", f"the service has {wanted}: leave them away")
    return point(
        name, job.name == JOB_NAME, f"{observed}{unchecked}" if job.name == JOB_NAME else f"job `{job.name}`",
        f"call the job {JOB_NAME}: the label `job` of all its series comes from there",
    )  # fmt: skip


def _scraping(text: str) -> Job | None:
    """The job that scrapes the service. Raises `UsageError` where it is no configuration."""
    try:
        document: Any = yaml.safe_load(text)
        default = (document.get("global") or {}).get("scrape_interval", "1m")
        for job in document.get("scrape_configs") or []:
            targets = [t for group in job.get("static_configs") or [] for t in group.get("targets") or []]
            if TARGET in targets:
                interval = Duration.parse(str(job.get("scrape_interval", default)))
                return Job(str(job.get("job_name")), interval, _odd(job))
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{CONFIG}: not a configuration of Prometheus: {_why(error)}") from error
    return None


def _odd(job: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{key}: {job[key]}" for key, value in SERVED.items() if job.get(key, value) != value)


def _why(error: Exception) -> str:
    """What is wrong, where, and the remedy; never Python's words about its own types."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return f"{place}{error.problem or error.context}; correct the YAML there"
    if isinstance(error, (AttributeError, TypeError, RecursionError)):
        return "it has `global`, and `scrape_configs` with jobs and their static_configs; compare it with the starter's"
    return f"{str(error).splitlines()[0]}; correct it"
