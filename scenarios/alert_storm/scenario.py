"""Alert storm: a threshold inside the noise fires until nobody listens."""

from lab.conditions import alert, answers, fatigue, incident, pairs, queries_still_counted, quiet, quiet_days
from lab.scenario import Act, Load, Phase, Scenario, Study, Wait

META = "AlertFlapping"
INCIDENT = {"latency_ms": 900.0}
"""What a real incident is: every answer of the model takes 900 ms, for five simulated minutes."""

NOISE = {"wander_from_s": 0.0}
"""The latency goes on as after a start: what it does from there on is the seed's alone."""

SCENARIO = Scenario(
    name="alert_storm",
    title="A threshold inside the noise rings until nobody listens",
    top_speed=20,
    # 5 queries a second of production time. Many users with patience: at 900 ms an answer they must not slow down.
    load=Load("locustfile.py", users=100, per_user=0.05),
    # Latency that naturally wanders between 200 and 400 ms: a slow sine, a random drift, and each call's own jitter.
    service={
        "llm_latency_ms": "290",
        "llm_swing_ms": "90",
        "llm_swing_period_s": Wait(simulated_s=150),
        "llm_noise_ms": "15",
        "llm_noise_tau_s": Wait(simulated_s=60),
        "llm_jitter": "0.03",
        "llm_min_ms": "200",
        "llm_max_ms": "390",
    },
    alerts=(META,),
    onset=(pairs(1).within(minutes=5),),
    detected=(
        alert(META).delivered().within(minutes=10),
        alert(META).naming("LatencyP95High").within(minutes=10),
    ),
    damage=(
        pairs(3).within(minutes=15),
        fatigue(per_hour=12, over=Wait(simulated_s=600)).within(minutes=15),
    ),
    # Notifications are what is detected: they come first.
    seen_before_damage=False,
    # Removing a rule that fires resolves nothing at once: its alert lives on at Alertmanager, for four times the resend
    # delay, and inhibits. So five simulated minutes pass before silence counts; then comes a real incident.
    # Both deployments meet the same noise from its beginning: how long the servers took to start does not matter.
    acts=(
        Act(Phase.BROKEN, Wait(), NOISE),
        Act(Phase.FIXED, Wait(), NOISE),
        Act(Phase.FIXED, Wait(simulated_s=675), INCIDENT),
        Act(Phase.FIXED, Wait(simulated_s=975), {"latency_ms": None}),
    ),
    study=Study(days=3, incident=INCIDENT, incident_length=Wait(simulated_s=600)),
    recovered=(
        quiet(settle=Wait(simulated_s=300)),
        incident().told_once().holds_for(real_s=2).within(minutes=24),
        alert(META).resolved().holds_for(minutes=1).within(minutes=16),
        queries_still_counted().holds_for(minutes=1).within(minutes=5),
        quiet_days(fewer_than=5),
    ),
    consequences=("NotificationStorm",),
    # The noise ends at 390 ms. A machine that adds to it keeps the alert on, and an alert that stays on does not flap.
    undisturbed=(answers(under_s=0.45),),
)
