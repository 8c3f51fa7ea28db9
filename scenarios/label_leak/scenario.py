"""Label leak: a label that changes with every request turns the metrics page into a memory leak."""

from lab.conditions import alert, culprit, memory, process, queries_still_counted, scrapes, served, still_counted
from lab.scenario import Load, Scenario

ALERT = "MetricsServerMemoryGrowth"

SCENARIO = Scenario(
    name="label_leak",
    title="A timestamp as a label leaks memory until the process is killed",
    top_speed=20,
    # 10 queries a second of production time; at the default speed 15 they are 150. The leak is by the query, so a
    # simulated minute costs as much memory at any speed. Many users with patience: large pages hold up queries.
    load=Load("locustfile.py", users=100, per_user=0.1),
    service={"llm_latency_ms": "4"},
    # In production 2 GB; scaled here to a size that is reached in minutes. The idle service takes a third of it.
    memory_mib={"rag": 192},
    dies=("rag",),
    restarts=True,
    alerts=(ALERT,),
    onset=(memory("rag").grown(mib=10).within(minutes=8),),
    detected=(
        alert(ALERT).delivered().within(minutes=9),
        culprit("rag_query_duration_seconds_bucket", label="timestamp").within(minutes=10),
    ),
    damage=(
        process("rag").killed_at_its_limit().within(minutes=30),
        # At the default speed a scrape has 1 s, its interval, and times out; at `--speed 1` it has 10, and gets slow.
        scrapes("rag").choke(over_s=1.5).within(minutes=30),
        process("rag").killed_again().within(minutes=60),
    ),
    recovered=(
        memory("rag").flat_again().holds_longer_than_onset(minutes=2).within(minutes=9),
        scrapes("rag").bring_nothing_new().holds_longer_than_onset(minutes=3).within(minutes=2, real_s=8),
        process("rag").stays(),
        queries_still_counted().holds_for(minutes=2).within(minutes=5),
        still_counted("rag_query_duration_seconds_count").holds_for(minutes=2).within(minutes=5),
        served().holds_for(minutes=2).within(minutes=4),
        alert(ALERT).resolved().holds_for(minutes=2).within(minutes=6),
    ),
    # Every query makes sixteen series, and while the killed process starts again it can't be scraped.
    consequences=("MetricCardinalityExplosion", "TargetDown"),
)
