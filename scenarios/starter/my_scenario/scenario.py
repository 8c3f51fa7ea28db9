"""My scenario: say in a line what breaks, and who notices."""

from lab.conditions import alert, fresh_samples, head_series, queries_still_counted
from lab.scenario import Load, Scenario

ALERT = "MyScenario"

SCENARIO = Scenario(
    name="my_scenario",
    title="TODO: one line, as `lab list` shows it",
    # 5 queries a second of production time; at the default speed 15 they are 75.
    load=Load("locustfile.py", users=50, per_user=0.1),
    service={"llm_latency_ms": "4"},
    alerts=(ALERT,),
    # TODO: by what figure does one see that the fault has begun? `lab.conditions` has the words.
    onset=(head_series.above(1_500).within(minutes=3),),
    detected=(alert(ALERT).delivered().within(minutes=6),),
    # TODO: what hurts in the end? Where there is something here, the alert has to come before it.
    damage=(),
    # Whether the fix brings Prometheus back with an empty head: series that are there stay for hours otherwise.
    wipe_on_fix=True,
    # The symptom is gone, for longer than it took to come; and not because nothing is measured any more.
    recovered=(
        head_series.below(1_500).holds_longer_than_onset().within(minutes=3),
        queries_still_counted().holds_for(minutes=1).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        alert(ALERT).resolved().holds_for(minutes=2).within(minutes=4),
    ),
)
