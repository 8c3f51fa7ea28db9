"""A smaller model: no error, no delay, no more money, and answers that are of no use."""

from lab.conditions import alert, figure, fresh_samples, queries_still_counted, refused, served
from lab.scenario import Load, Phase, Scenario

LOW, USELESS = "ResponseQualityLow", "AnswersUseless"

quality = figure(
    "quality of answers",
    "sum(rate(rag_response_quality_score_sum[1m])) / sum(rate(rag_response_quality_score_count[1m]))",
)
errors = figure(
    "share of failed queries",
    'sum(rate(rag_queries_total{status="error"}[1m])) / sum(rate(rag_queries_total[1m]))',
)

SCENARIO = Scenario(
    name="quality_drop",
    kind="service",
    title="A smaller model: no error, no delay, and answers that are of no use",
    # 6.7 queries a second of production time. People know a bad answer when they see one; no status code does.
    load=Load("locustfile.py", users=20, per_user=1 / 3),
    service={"llm_latency_ms": "4"},
    # The monitoring is well: it detects what a team's own Prometheus would detect.
    watcher="prometheus",
    refuses=(Phase.BROKEN,),
    alerts=(LOW, USELESS),
    onset=(quality.below(0.7).within(minutes=4),),
    detected=(alert(USELESS).delivered().within(minutes=6), alert(LOW).delivered().within(minutes=11)),
    damage=(
        refused(over=0.5).holds_for(minutes=2).within(minutes=4),
        # And nothing else says so.
        errors.below(0.01).holds_for(minutes=3).within(minutes=6),
    ),
    # Each answer is bad from the first one on; the alerts want to see many of them.
    seen_before_damage=False,
    recovered=(
        quality.above(0.8).holds_for(minutes=4).within(minutes=3),
        served().holds_for(minutes=4).within(minutes=3),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        alert(LOW).resolved().holds_for(minutes=2).within(minutes=9),
        alert(USELESS).resolved().holds_for(minutes=2).within(minutes=9),
    ),
    # The stack's own alert rings beside rules of yours, too.
    consequences=(LOW,),
)
