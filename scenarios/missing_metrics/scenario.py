"""Missing metrics: a release goes well, and nobody is told that nothing is measured any more."""

from dataclasses import replace

from lab.conditions import alert, back, fresh_samples, gone, queries_still_counted, scrapes, served, smoke_test, up
from lab.scenario import Check, Load, Scenario

METRIC = "rag_queries_total"
DOWN, MISSING = "TargetDown", "QueriesNotCounted"


def recovered(name: str) -> tuple[Check, ...]:
    """The metric is back, and means something: a constant is no counter."""
    return (
        back().holds_for(minutes=2).within(minutes=3),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        smoke_test(METRIC).passes().within(minutes=6),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        served().holds_for(minutes=2).within(minutes=4),
        alert(name).resolved().holds_for(minutes=2).within(minutes=4),
    )


SCENARIO = Scenario(
    name="missing_metrics",
    variant="server_not_started",
    title="A release loses the metrics: the server is not started",
    top_speed=20,
    # 5 queries a second of production time. They are answered as ever: only the figures are gone.
    load=Load("locustfile.py", users=50, per_user=0.1),
    service={"llm_latency_ms": "4"},
    # The patient is well: it detects what a team's own Prometheus would detect.
    watcher="prometheus",
    goes_dark=("rag",),
    alerts=(DOWN,),
    # An ordinary release leaves a gap of two or three seconds; a symptom lasts longer.
    onset=(
        up("rag").down().holds_for(real_s=5).within(minutes=2),
        gone().holds_for(real_s=5).within(minutes=2),
    ),
    detected=(alert(DOWN).delivered().within(minutes=6),),
    damage=(
        scrapes("rag").fail_with("connection refused").within(minutes=4),
        smoke_test(METRIC).stops_it().within(minutes=4),
        served().holds_for(minutes=2),
    ),
    # The error is there at the first scrape; the alert wants to see it for two minutes.
    seen_before_damage=False,
    recovered=recovered(DOWN),
    consequences=(DOWN,),
)

# The quiet ones: the target is up, no scrape fails, and one metric is gone.
QUIET = replace(
    SCENARIO,
    goes_dark=(),
    alerts=(MISSING,),
    onset=(gone().holds_for(real_s=5).within(minutes=2),),
    detected=(alert(MISSING).delivered().within(minutes=6), alert(MISSING).naming(METRIC).within(minutes=6)),
    damage=(up("rag").hides_it().holds_for(minutes=2).within(minutes=4), *SCENARIO.damage[1:]),
    recovered=recovered(MISSING),
    consequences=(),
)


def down(title: str, *texts: str) -> Scenario:
    """A target that is down for another reason; `texts`: what Prometheus says of it, as one version or another."""
    says = scrapes("rag").fail_with(*texts).within(minutes=4)
    return replace(SCENARIO, title=f"A release loses the metrics: {title}", damage=(says, *SCENARIO.damage[1:]))


VARIANTS = {
    "instrumentation_removed": replace(QUIET, title="A release loses the metrics: the counter is removed"),
    "metric_renamed": replace(QUIET, title="A release loses the metrics: the counter is renamed"),
    "endpoint_500": down("the page answers 500", "server returned HTTP status 500 Internal Server Error"),
    "endpoint_hangs": down("the page never comes", "context deadline exceeded"),
    "wrong_content_type": down(
        "the page is HTML", '"INVALID" is not a valid start token', "received unsupported Content-Type"
    ),
}
