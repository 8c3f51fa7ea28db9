"""Cardinality: one unbounded label multiplies series until the disk is full."""

from dataclasses import replace

from lab.conditions import alert, culprit, fresh_samples, head_series, log, process, queries_still_counted, ready, up
from lab.scenario import BOUNDED_VOLUME, DEFAULT_SPEED, Load, Patient, Replicas, Scenario, Storage

ALERT, DISK, DOWN = "MetricCardinalityExplosion", "PrometheusDiskFilling", "TargetDown"

SCENARIO = Scenario(
    name="cardinality",
    title="One unbounded label multiplies series until the disk is full",
    top_speed=20,
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
    consequences=(DISK, "MetricsServerMemoryGrowth"),  # the latter where the fault lasts: at a long stop on a stage
)


# On a fuller disk the server dies of it. Once 120 samples are in a chunk (ten minutes at a scrape every 5 s) it cuts
# the chunk off and wants 128 KiB for the first file of such: between 0 and 128 KiB must be free then. With a full disk
# nothing is appended, and no chunk is cut; hence a volume and traffic of its own. Both are by simulated time, as above.
PANIC = "panic: preallocate: no space left on device"
LATE = 75  # real seconds: newer servers write chunks on a tick of 60 s; 2.42 does so at once
CRASH = replace(
    SCENARIO,
    top_speed=DEFAULT_SPEED,
    title="One unbounded label fills the disk until the server panics, and again at every restart",
    load=Load("variants/crash/locustfile.py", users=20, per_user=0.07),
    storage=Storage(size_mib=0.58, healed_mib=64),
    # At every even hour UTC, where a block of 2 h ends, all chunks are cut, and with room on the disk: not in this run.
    patient=Patient(flags={"storage.tsdb.min-block-duration": "30d"}),
    dies=("prometheus",), exit_codes={"prometheus": 2}, restarts=True, alerts=(ALERT, DOWN),
    onset=(head_series.above(1_000).within(minutes=9),),
    detected=(
        *SCENARIO.detected,
        alert(DISK).raised().within(minutes=16).needing(BOUNDED_VOLUME),
        # The dead can't tell: that it is gone is seen from outside alone.
        alert(DOWN).delivered().within(minutes=20, real_s=LATE).needing(BOUNDED_VOLUME),
        alert(DOWN).naming("prometheus:9090").within(minutes=20, real_s=LATE).needing(BOUNDED_VOLUME),
    ),
    damage=(
        log("prometheus", PANIC).seen().within(minutes=16, real_s=LATE).needing(BOUNDED_VOLUME),
        process("prometheus").exits(2).within(minutes=16, real_s=LATE).needing(BOUNDED_VOLUME),
        process("prometheus").exits_again(2).within(minutes=16, real_s=2 * LATE).needing(BOUNDED_VOLUME),
    ),
    recovered=(
        head_series.below(1_000).holds_longer_than_onset().within(minutes=3),
        head_series.flat(per_second=2).holds_for(minutes=2).within(minutes=5),
        *SCENARIO.recovered[2:],
        alert(DOWN).resolved().holds_for(minutes=2).within(minutes=4),
        process("prometheus").stays(),
    ),
)  # fmt: skip

VARIANTS = {"crash": CRASH}


def scaled(replicas: Replicas, memory_mib: float, disk_mib: float) -> Scenario:
    """With replicas, and the memory and the disk for their series: they must be seen. Nothing fills up."""
    return replace(
        SCENARIO, replicas=replicas, load=replace(SCENARIO.load, users=20, per_user=0.5), damage=(),
        memory_mib={"prometheus": memory_mib}, storage=Storage(size_mib=disk_mib, healed_mib=64),
        onset=(head_series.above(0.97 * replicas.series).holds_for(minutes=2).within(minutes=1.5 * replicas.minutes),),
        detected=SCENARIO.detected[:1],
        # Not for as long as that took: it takes a fraction of it to pass ten thousand again.
        recovered=(head_series.below(10_000).holds_for(minutes=4).within(minutes=3), *SCENARIO.recovered[1:]),
    )  # fmt: skip


SCALES = {
    "class": scaled(Replicas(count=4, series=100_000, minutes=5, top_speed=7.5), memory_mib=2048, disk_mib=256),
    "full": scaled(Replicas(count=10, series=1_000_000, minutes=5, top_speed=1.5), memory_mib=12288, disk_mib=1024),
}
