"""The dashboard of the service: what its users get, and what it costs."""

from __future__ import annotations

from panels import GREEN, NONE, RED, YELLOW, Query, Steps, alert_list, graph, number
from sections import Section

ALL = "sum(rate(rag_queries_total[$window]))"
HITS = f'sum(rate(rag_queries_total{{cache_status="hit"}}[$window])) / {ALL}'
FAILED = f'sum(rate(rag_queries_total{{status="error"}}[$window])) / {ALL}'
ANSWERED = f'sum(rate(rag_queries_total{{status="success"}}[$window])) / {ALL}'
SPENT = "sum(rate(rag_total_cost_usd_total[$window]))"

HIT_STEPS = Steps(RED, ((0.3, YELLOW), (0.5, GREEN)))


def quantile(q: float) -> str:
    """A quantile of the query duration in seconds, over all instances."""
    return f"histogram_quantile({q:g}, sum by (le) (rate(rag_query_duration_seconds_bucket[$window])))"


def mean(histogram: str) -> str:
    """The mean of what a histogram observed."""
    return f"sum(rate({histogram}_sum[$window])) / sum(rate({histogram}_count[$window]))"


NOW = Section(
    "Now",
    number(
        "Availability",
        "The share of queries that were answered, and of instances that could be scraped: of those that could not, "
        "nothing on this page is known.",
        "percentunit",
        Query(ANSWERED, "answered"),
        Query('avg(up{job="rag"})', "instances up"),
        steps=Steps(RED, ((0.95, YELLOW), (0.99, GREEN))),
        width=6,
    ),
    number(
        "Cache hit ratio",
        "A ratio of two counters: a mean of the instances' own hit rates would lie.",
        "percentunit",
        Query(HITS, "hits"),
        steps=HIT_STEPS,
    ),
    number(
        "Latency p95",
        "HighLatencyP95 fires above 2 s.",
        "s",
        Query(quantile(0.95), "p95"),
        steps=Steps(GREEN, ((0.5, YELLOW), (2, RED))),
    ),
    number(
        "Error ratio",
        "HighErrorRate fires above 5 %.",
        "percentunit",
        Query(FAILED, "errors"),
        steps=Steps(GREEN, ((0.01, YELLOW), (0.05, RED))),
    ),
    number(
        "Cost per hour",
        "At the present rate. CostSpike fires above 10 USD.",
        "currencyUSD",
        Query(f"{SPENT} * 3600", "an hour"),
        steps=Steps(GREEN, ((5, YELLOW), (10, RED))),
        width=6,
    ),
)

QUERIES = Section(
    "Queries",
    graph(
        "Query rate",
        "Queries answered a second, by what came of them.",
        "reqps",
        Query("sum by (status) (rate(rag_queries_total[$window]))", "{{status}}"),
    ),
    graph(
        "Latency",
        "Quantiles of all instances together; a quantile is as precise as the buckets around it.",
        "s",
        Query(quantile(0.5), "p50"),
        Query(quantile(0.95), "p95"),
        Query(quantile(0.99), "p99"),
        steps=Steps(NONE, ((2, RED),)),
    ),
    graph(
        "Errors",
        "The share of queries that failed. Above the first line, at 1 %, it deserves a look; "
        "above the second, at 5 %, HighErrorRate fires.",
        "percentunit",
        Query(FAILED, "errors"),
        steps=Steps(NONE, ((0.01, YELLOW), (0.05, RED))),
    ),
    graph(
        "Errors by kind",
        "Failures by component and kind; not every one of them fails a query.",
        "cps",
        Query("sum by (component, error_type) (rate(rag_errors_total[$window]))", "{{component}} {{error_type}}"),
    ),
    graph(
        "Cache hits",
        "The share of queries that the cache answers; LowCacheHitRate fires below 20 %.",
        "percentunit",
        Query(HITS, "hits"),
        steps=HIT_STEPS,
        top=1,
    ),
    graph(
        "Queries by model",
        "Queries answered a second, by the model that answered; cached is none.",
        "reqps",
        Query("sum by (model) (rate(rag_queries_total[$window]))", "{{model}}"),
    ),
)

COSTS = Section(
    "Costs",
    graph(
        "Cost per hour, by model",
        "At the present rate; CostSpike fires above 10 USD for all together.",
        "currencyUSD",
        Query("sum by (model) (rate(rag_total_cost_usd_total[$window])) * 3600", "{{model}}"),
        Query(f"{SPENT} * 3600", "all"),
        steps=Steps(NONE, ((10, RED),)),
    ),
    graph(
        "Cost per query",
        "All costs over all queries, and what a query costs that a model answers.",
        "currencyUSD",
        Query(f"{SPENT} / {ALL}", "a query"),
        Query(mean("rag_cost_per_query_usd"), "a query that a model answers"),
    ),
    graph(
        "Tokens by model",
        "Tokens a second: of the histogram's sum, it has no series of its base name.",
        "cps",
        Query("sum by (model, token_type) (rate(rag_tokens_used_sum[$window]))", "{{model}} {{token_type}}"),
    ),
    graph(
        "Rate-limit headroom",
        "Calls left in the provider's window; RateLimitClose fires below 1000.",
        "short",
        Query("min by (provider) (rag_rate_limit_remaining)", "{{provider}}"),
        steps=Steps(RED, ((1000, NONE),)),
    ),
)

ANSWERS = Section(
    "Answers",
    graph(
        "Answers over 24 hours",
        "Mean relevance of the best document and mean quality of the answer, over a day in "
        "short windows: windows of a day would walk every sample at every point. ResponseQualityLow fires below 0.7.",
        "none",
        Query(mean("rag_relevance_score"), "relevance"),
        Query(mean("rag_response_quality_score"), "quality"),
        steps=Steps(RED, ((0.7, NONE),)),
        top=1,
    ).time_from("24h"),
    graph(
        "Documents retrieved",
        "Documents found for a query, on average.",
        "short",
        Query(mean("rag_documents_retrieved"), "documents"),
        width=6,
    ),
    graph(
        "Queue depth",
        "Queries waiting, of all instances.",
        "short",
        Query("sum by (queue) (rag_queue_depth)", "{{queue}}"),
        width=6,
    ),
)

ALERTS = Section(
    "Alerts",
    alert_list(
        "Alerts of the service", "What the service's own Prometheus evaluates.", source_name="Prometheus", width=24
    ),
)

SECTIONS = (NOW, QUERIES, COSTS, ANSWERS, ALERTS)
