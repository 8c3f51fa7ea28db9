"""Cardinality: one unbounded label multiplies series until the disk is full."""

from lab.conditions import alert, culprit, fresh_samples, head_series, log, queries_still_counted, ready, up
from lab.scenario import BOUNDED_VOLUME, Load, Scenario, Storage

ALERT = "MetricCardinalityExplosion"

SCENARIO = Scenario(
    name="cardinality",
    title="One unbounded label multiplies series until the disk is full",
    # 20 queries a second of production time; at the default speed 15 they are 300. Many users with patience:
    # a page of ten thousand series is rendered in the service's own process and holds up whoever waits meanwhile.
    load=Load("locustfile.py", users=100, per_user=0.2),
    service={"llm_latency_ms": "4"},
    # A production disk, scaled: 1.6 MiB of write-ahead log fill in about nine simulated minutes.
    storage=Storage(size_mib=1.6, healed_mib=64),
    alerts=(ALERT,),
    onset=(head_series.above(10_000).within(minutes=14),),
    detected=(
        alert(ALERT).delivered().within(minutes=8),
        culprit("rag_queries_total", label="query_text").within(minutes=9),
    ),
    damage=(
        log("prometheus", "no space left on device").seen().within(minutes=17).needing(BOUNDED_VOLUME),
        ready("prometheus").still_says_yes().within(minutes=18).needing(BOUNDED_VOLUME),
        up("rag").stays_one_on("prometheus").within(minutes=18).needing(BOUNDED_VOLUME),
    ),
    # The fix is fixed/ and a wiped head under the same load. Restarting on a larger disk alone would replay
    # the write-ahead log, and with it every series.
    wipe_on_fix=True,
    recovered=(
        head_series.below(10_000).holds_longer_than_onset().within(minutes=3),
        head_series.flat(per_second=20).holds_for(minutes=2).within(minutes=5),
        queries_still_counted().holds_for(minutes=1).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        alert(ALERT).resolved().holds_for(minutes=2).within(minutes=4),
    ),
    consequences=("PrometheusDiskFilling",),
)
