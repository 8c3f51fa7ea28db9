"""A prompt that is too long: every answer as good, as fast and as right as before, and seven times as dear."""

from lab.conditions import alert, books, figure, fresh_samples, queries_still_counted, served
from lab.scenario import Load, PerTime, Scenario

SPIKE, LONG = "CostSpike", "PromptsTooLong"

dollars = figure("US dollars an hour", "sum(rate(rag_total_cost_usd_total[5m])) * 3600")
tokens = figure(
    "tokens in a prompt",
    'sum(rate(rag_tokens_used_sum{token_type="input"}[1m])) / sum(rate(rag_tokens_used_count{token_type="input"}[1m]))',
)

SCENARIO = Scenario(
    name="cost_spike",
    kind="service",
    title="A prompt that is too long: answers as before, and seven times the money",
    # 6.7 queries a second of production time, of which the model is paid for six in ten: 4 dollars an hour.
    load=Load("locustfile.py", users=20, per_user=1 / 3),
    service={"llm_latency_ms": "4", "cost_scale": PerTime(0.235)},
    # The monitoring is well: it detects what a team's own Prometheus would detect.
    watcher="prometheus",
    alerts=(SPIKE, LONG),
    onset=(tokens.above(2000).within(minutes=3),),
    detected=(alert(SPIKE).delivered().within(minutes=8), alert(LONG).delivered().within(minutes=6)),
    damage=(
        # An hour's money in eight minutes.
        books().above(4).within(minutes=10),
        # And nothing else says so.
        served().holds_for(minutes=2),
    ),
    recovered=(
        tokens.below(1000).holds_for(minutes=4).within(minutes=3),
        dollars.below(10).holds_for(minutes=4).within(minutes=7),
        books().agree().holds_for(minutes=2).within(minutes=5),
        served().holds_for(minutes=4).within(minutes=3),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        fresh_samples().holds_for(minutes=2).within(minutes=3),
        alert(SPIKE).resolved().holds_for(minutes=2).within(minutes=9),
        alert(LONG).resolved().holds_for(minutes=2).within(minutes=9),
    ),
    # The stack's own alert rings beside rules of yours, too.
    consequences=(SPIKE,),
)
