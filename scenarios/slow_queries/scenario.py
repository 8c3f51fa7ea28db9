"""Slow queries: a dashboard asks for rate() over 24 hours, and gets timeouts."""

from lab.conditions import agree, alert, log, panels, queries_still_counted
from lab.scenario import Backfill, Load, Patient, Scenario

ALERT = "PrometheusQueriesSlow"

SCENARIO = Scenario(
    name="slow_queries",
    title="A dashboard walks a day of raw samples for every point, and times out",
    top_speed=20,
    # 4 queries a second of production time. Three of the users are the dashboard's viewers.
    load=Load("locustfile.py", users=200, per_user=0.02),
    # Two days of 43 replicas with seven label sets each: 301 series, 1.7 million samples. Two days, so that a window
    # of 24 hours is full at every point of a panel that shows 24 hours.
    backfill=Backfill(
        "rag_queries_total",
        shares=(
            ({"cache_status": "hit", "model": "cached", "status": "success"}, 0.40),
            ({"cache_status": "miss", "model": "gpt-4o", "status": "success"}, 0.12),
            ({"cache_status": "miss", "model": "gpt-4o-mini", "status": "success"}, 0.34),
            ({"cache_status": "miss", "model": "gpt-3.5-turbo", "status": "success"}, 0.134),
            ({"cache_status": "miss", "model": "gpt-4o", "status": "error"}, 0.001),
            ({"cache_status": "miss", "model": "gpt-4o-mini", "status": "error"}, 0.003),
            ({"cache_status": "miss", "model": "gpt-3.5-turbo", "status": "error"}, 0.002),
        ),
        replicas=43,
        per_second=60,
    ),
    # Both deployments run under these flags. Prometheus' own default is 2m, under which each of these panels succeeds,
    # after seconds; the lab's history is smaller than a production server's, and so is its patience.
    # The past is real time: rules and lookback of this server are not compressed.
    patient=Patient(flags={"query.timeout": "1s", "storage.tsdb.retention.time": "7d"}, production_time=True),
    alerts=(ALERT,),
    onset=(panels().keep_waiting(over_s=1.0).within(real_s=25),),
    detected=(alert(ALERT).delivered().within(minutes=6, real_s=20),),
    damage=(
        log("dashboard", "query timed out in expression evaluation").seen().within(real_s=45),
        panels().fail().within(real_s=45),
    ),
    # Timeouts are there at the first look; the alert wants to see them for two minutes.
    seen_before_damage=False,
    recovered=(
        panels().answer(under_s=1.0).holds_for(real_s=5).within(real_s=30),
        agree(
            slow="sum(rate(rag_queries_total[24h]))",
            fast="sum(avg_over_time(rag:query_rate:5m[24h]))",
            within=0.02,
        ).within(real_s=20),
        panels().tell_the_same(within=0.02).within(real_s=20),
        alert(ALERT).resolved().holds_for(minutes=1).within(minutes=6, real_s=20),
        queries_still_counted().holds_for(minutes=1).within(minutes=5),
    ),
)
