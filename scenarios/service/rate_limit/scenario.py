"""A release loses the cache, clients ask again at once: the provider's quota and the money run out."""

from dataclasses import replace

from lab.conditions import (
    alert,
    books,
    figure,
    fresh_samples,
    nobody_told,
    queries_still_counted,
    refused,
    served,
)
from lab.scenario import Load, PerTime, Phase, Scenario, Wait

CLOSE, SPIKE, REFUSED = "RateLimitClose", "CostSpike", "CallsRefused"

headroom = figure("calls left", "min(rag_rate_limit_remaining)")
hits = figure(
    "cache hit ratio",
    'sum(rate(rag_queries_total{cache_status="hit",status="success"}[1m])) / sum(rate(rag_queries_total[1m]))',
)
dollars = figure("US dollars an hour", "sum(rate(rag_total_cost_usd_total[5m])) * 3600")

SCENARIO = Scenario(
    name="rate_limit",
    variant="seen",
    kind="service",
    title="Cache lost, clients that ask again at once: the provider's quota and the money run out",
    # Of 6.7 questions a second of production time one in ten is new: that is what the model is paid for.
    load=Load("locustfile.py", users=20, per_user=1 / 3),
    # 2,000 calls in a quarter of an hour. A healthy one takes 600, so 1,400 are left; and 6 dollars an hour.
    service={
        "llm_latency_ms": "4",
        "quota_per_minute": "2000",
        "quota_window_s": Wait(simulated_s=900),
        "cost_scale": PerTime(2.1),
    },
    # The monitoring is well: it detects what a team's own Prometheus would detect.
    watcher="prometheus",
    refuses=(Phase.BROKEN,),
    alerts=(CLOSE, SPIKE),
    onset=(hits.below(0.2).within(minutes=3),),
    detected=(
        alert(CLOSE).delivered().within(minutes=7),
        alert(SPIKE).delivered().within(minutes=9),
        alert(REFUSED).delivered().within(minutes=9),
    ),
    # The last 1,000 calls are two and a half minutes; the gauge's alert comes in the first of them.
    damage=(refused(over=0.5).within(minutes=8), dollars.above(30).within(minutes=8)),
    recovered=(
        hits.above(0.8).holds_for(minutes=2).within(minutes=3),
        # Longer than broken/ takes from a full quota to the alert: what only restarts has a full quota, too.
        headroom.above(1000).holds_for(minutes=6).within(minutes=3),
        dollars.below(10).holds_for(minutes=2).within(minutes=8),
        books().agree().holds_for(minutes=1).within(minutes=5),
        served().holds_for(minutes=6).within(minutes=3),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        *(alert(name).resolved().holds_for(minutes=2).within(minutes=9) for name in (CLOSE, SPIKE, REFUSED)),
    ),
    # What follows from a lost cache and a used-up quota; the stack's own alerts fire beside rules of yours, too. Money
    # and errors go to Slack, and to e-mail where there is a server for it, begun and over, within ten minutes: that may
    # be a storm.
    consequences=(
        CLOSE,
        SPIKE,
        REFUSED,
        "ErrorsOfOneKind",
        "HighErrorRate",
        "LowCacheHitRate",
        "NotificationStorm",
    ),
)

# How it went at first: the same release, and metrics that say nothing of it. Then the metrics are there.
BLIND = replace(
    SCENARIO,
    title="The same without the metrics: nobody is told while dollars burn; then with them",
    refuses=(Phase.BROKEN, Phase.FIXED),
    onset=(refused(over=0.5).within(minutes=8),),
    detected=(),
    damage=(
        nobody_told().holds_for(minutes=9).within(minutes=1),
        books().above(3).within(minutes=9),
    ),
    recovered=(
        alert(CLOSE).delivered().within(minutes=7),
        alert(SPIKE).delivered().within(minutes=9),
        dollars.above(30).within(minutes=9),
    ),
)

VARIANTS = {"blind": BLIND}
