"""What notifications do to people, from notifications alone."""

from __future__ import annotations

from lab.events import Notified, Switched
from lab.fatigue import episodes_of, fatigue_of, incidents_of
from lab.history import History


def notified(t: float, status: str, route: str = "alerts", alert: str = "X", **labels: str) -> Notified:
    return Notified(t, alert, status, route, labels)  # type: ignore[arg-type]


def pair(start: float, end: float, **more: str) -> list[Notified]:
    return [notified(start, "firing", **more), notified(end, "resolved", **more)]


def test_pairs_rate_and_score_of_a_storm():
    history = History(events=[*pair(10, 15), *pair(20, 50), notified(60, "firing")])
    seen = fatigue_of(history, 15, 0, 240)  # a simulated hour
    assert (seen.channel, seen.notifications, seen.pairs, seen.hours) == ("alerts", 5, 2, 1.0)
    assert seen.per_hour == 5
    assert seen.short == 1, "5 s are 1.25 simulated minutes, 30 s are 7.5"
    assert (seen.incidents, seen.score) == (0, None)
    assert str(seen) == "5 in #alerts, 5 a simulated hour, for no incident, 1 of 2 resolved in under 5 min"


def test_an_incident_divides_the_notifications():
    history = History(events=[Switched(5, {"latency_ms": 900.0}), *pair(10, 40)])
    assert fatigue_of(history, 15, 0, 60).score == 2.0
    assert fatigue_of(history, 15, 6, 60).score is None, "an incident belongs to the time in which it began"


def test_dry_runs_and_ignored_alerts_are_read_by_nobody():
    events = [*pair(1, 2, route="dry-run"), *pair(1, 2, route="dry-run"), *pair(1, 2, alert="Meta"), *pair(3, 4)]
    seen = fatigue_of(History(events=list(events)), 15, 0, 10, ignored=["Meta"])
    assert (seen.channel, seen.notifications) == ("alerts", 2)


def test_the_busiest_channel_counts():
    events = [*pair(1, 2, route="quiet"), *pair(1, 2, route="loud"), *pair(3, 4, route="loud")]
    assert fatigue_of(History(events=list(events)), 15, 0, 10).channel == "loud"


def test_silence():
    seen = fatigue_of(History(), 15, 0, 240)
    assert (seen.notifications, seen.per_hour, seen.pairs, seen.score) == (0, 0.0, 0, None)
    assert fatigue_of(History(), 15, 5, 5).per_hour == 0.0


def test_episodes_are_told_apart_by_labels():
    told = [
        notified(1, "firing", instance="a"),
        notified(2, "firing", instance="b"),
        notified(3, "firing", instance="a"),  # told again
        notified(4, "resolved", instance="b"),
        notified(5, "resolved", instance="c"),  # never told as firing
    ]
    assert [(e.fired, e.resolved) for e in episodes_of(told)] == [(1, None), (2, 4)]


def test_the_usual_noise_from_its_beginning_is_no_incident():
    history = History(
        events=[
            Switched(1, {"wander_from_s": 0.0}),
            Switched(10, {"latency_ms": 900.0}),
            Switched(12, {"wander_from_s": 0.0}),
            Switched(30, {"latency_ms": None}),
            Switched(40, {"wander_from_s": 0.0}),
            Switched(50, {"wander_from_s": 0.0, "latency_ms": 900.0}),
        ]
    )
    assert incidents_of(history, 0, 100) == [(10, 30), (50, None)]


def test_incidents_begin_with_a_switch_and_end_when_it_is_back():
    history = History(
        events=[
            Switched(10, {"latency_ms": 900.0}),
            Switched(12, {"latency_ms": 950.0}),
            Switched(30, {"latency_ms": None}),
            Switched(50, {"latency_ms": 900.0}),
        ]
    )
    assert incidents_of(history, 0, 100) == [(10, 30), (50, None)]
    assert incidents_of(history, 20, 100) == [(50, None)]
