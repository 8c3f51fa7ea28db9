"""A release points the service at documents that are not there: from one moment to the next queries fail."""

from lab.conditions import alert, fresh_samples, queries_still_counted, ready, refused, served
from lab.scenario import Load, Phase, Scenario

RATE, KIND = "HighErrorRate", "ErrorsOfOneKind"

SCENARIO = Scenario(
    name="error_burst",
    kind="service",
    title="A release points at documents that are not there: queries fail from one moment to the next",
    # 6.7 queries a second of production time.
    load=Load("locustfile.py", users=20, per_user=1 / 3),
    service={"llm_latency_ms": "4"},
    # The monitoring is well: it detects what a team's own Prometheus would detect.
    watcher="prometheus",
    refuses=(Phase.BROKEN,),
    alerts=(RATE, KIND),
    onset=(refused(over=0.05).within(minutes=2),),
    detected=(
        alert(RATE).delivered().within(minutes=4),
        alert(KIND).delivered().within(minutes=4),
        alert(KIND).naming("index_missing").within(minutes=4),
    ),
    damage=(
        refused(over=0.9).holds_for(minutes=2).within(minutes=3),
        # The release went out because only /health was asked, which is about the process.
        ready("rag").says_no().holds_for(minutes=2).within(minutes=2),
    ),
    # People are refused at once; the alert wants to see it for a minute.
    seen_before_damage=False,
    recovered=(
        served().holds_for(minutes=4).within(minutes=2),
        ready("rag").says_yes().holds_for(minutes=4).within(minutes=2),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        alert(RATE).resolved().holds_for(minutes=2).within(minutes=9),
        alert(KIND).resolved().holds_for(minutes=2).within(minutes=9),
    ),
    # Nothing is found in a cache into which nothing is put. The stack's own alert rings beside rules of yours, too.
    consequences=(RATE, "LowCacheHitRate"),
)
