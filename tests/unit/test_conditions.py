"""Conditions on numbers, at several speeds: what they say of too few samples is nothing."""

from __future__ import annotations

import pytest
from histories import header, sampled, samples, view

from lab import signals
from lab.conditions.alerts import Delivered, Inactive, NotFiring, Resolved
from lab.conditions.order import Before
from lab.conditions.services import StillSaysYes, StillUp
from lab.conditions.traffic import Flowed, Offered, ServedWell
from lab.conditions.values import Flat, Threshold, number
from lab.conditions.workload import FreshSamples, StillCounted
from lab.events import Deployed, LogSeen, Notified, PhaseEnded, PhaseStarted
from lab.history import STALE_S, History
from lab.judge import evaluate
from lab.scenario import Check, Mode, Phase, Result
from lab.view import View


def fired(t: float, alert: str = "A", status: str = "firing", route: str = "console") -> Notified:
    return Notified(t, alert, status, route)  # type: ignore[arg-type]


@pytest.mark.parametrize(("op", "value", "expected"), [
    ("above", 11.0, True), ("above", 10.0, False), ("below", 9.0, True), ("below", 10.0, False),
])  # fmt: skip
def test_a_threshold_is_strict(op: str, value: float, expected: bool) -> None:
    limit = Threshold("x", "x", op, 10.0)  # type: ignore[arg-type]
    assert limit.at(view(samples(1, x=value)), 0.0) is expected


def test_a_stale_value_says_nothing() -> None:
    seen = view(samples(9, x=lambda t: 1.0 if t == 0 else None))
    limit = Threshold("x", "x", "above", 0.0)
    assert limit.at(seen, 3.0) is True
    assert limit.at(seen, 4.0) is None
    assert STALE_S < 4.0


def test_a_value_that_is_no_number_is_no_value() -> None:
    assert Threshold("x", "x", "below", 1.0).at(view(samples(1, x=float("nan"))), 0.0) is None


@pytest.mark.parametrize("speed", [1.0, 5.0, 15.0])
def test_a_window_holds_five_scrapes(speed: float) -> None:
    seen = view(samples(1), speed=speed)
    assert seen.window_s(8.0) == max(8.0, 75 / speed)


@pytest.mark.parametrize("speed", [1.0, 15.0])
@pytest.mark.parametrize(("slope", "flat"), [(0.0, True), (19.0, True), (21.0, False), (-500.0, True)])
def test_flat(speed: float, slope: float, flat: bool) -> None:
    seen = view(samples(120, x=lambda t: 1000 + slope * t), speed=speed)
    assert Flat("x", "x", 20.0).at(seen, 119.0) is flat


@pytest.mark.parametrize("speed", [1.0, 15.0])
def test_flat_needs_most_of_a_window_of_this_phase(speed: float) -> None:
    window = max(8.0, 75 / speed)
    needed = next(n for n in range(200) if n >= 0.6 * window)
    start = 50.0
    seen = view(samples(250, x=1.0), speed=speed, start=start)
    assert Flat("x", "x", 20.0).at(seen, start + needed - 1) is None
    assert Flat("x", "x", 20.0).at(seen, start + needed) is True


def test_flat_is_not_fooled_by_one_sample() -> None:
    seen = view(samples(20, x=lambda t: 1.0 if t == 19 else None))
    assert Flat("x", "x", 20.0).at(seen, 19.0) is None


def test_flat_is_not_fooled_by_a_few_far_apart() -> None:
    seen = view(samples(20, x=lambda t: 1.0 if t in (12, 16, 19) else None))
    assert Flat("x", "x", 20.0).at(seen, 19.0) is None


def counted(rate: float, served: float) -> list:
    return samples(60, **{signals.COUNTED: lambda t: rate * t, signals.RPS: served})


@pytest.mark.parametrize(("rate", "expected"), [
    (300.0, True), (226.0, True), (224.0, False), (0.0, False), (376.0, False),
])  # fmt: skip
def test_still_counted_follows_the_traffic(rate: float, expected: bool) -> None:
    assert StillCounted().at(view(counted(rate, 300.0)), 59.0) is expected


def test_without_the_metric_it_is_false_and_without_traffic_unknown() -> None:
    assert StillCounted().at(view(samples(60, **{signals.RPS: 300.0})), 59.0) is False
    assert StillCounted().at(view(counted(300.0, 0.0)), 59.0) is None
    young = view(samples(60, **{signals.RPS: 300.0}), Deployed(50.0, "broken"))
    assert StillCounted().at(young, 55.0) is None


def test_a_reset_of_the_counter_is_not_counting() -> None:
    reset = samples(60, **{signals.COUNTED: lambda t: 300.0 * (t % 56), signals.RPS: 300.0})
    assert StillCounted().at(view(reset), 58.0) is False


@pytest.mark.parametrize(("speed", "age", "expected"), [
    (15.0, 2.5, True), (15.0, 2.6, False), (1.0, 37.5, True), (1.0, 38.0, False),
])  # fmt: skip
def test_fresh_means_two_and_a_half_scrapes(speed: float, age: float, expected: bool) -> None:
    assert FreshSamples().at(view(samples(1, **{signals.COUNTED_AGE_S: age}), speed=speed), 0.0) is expected


def test_without_any_sample_nothing_is_fresh() -> None:
    assert FreshSamples().at(view(samples(1)), 0.0) is False


@pytest.mark.parametrize(("served", "failed", "expected"), [
    (99.0, 1.0, True), (99.0, 1.1, False), (0.0, 0.0, False), (0.0, 5.0, False),
])  # fmt: skip
def test_served_well(served: float, failed: float, expected: bool) -> None:
    seen = view(samples(5, **{signals.RPS: served, signals.FAILURES: failed}))
    assert ServedWell().at(seen, 4.0) is expected


def test_served_well_is_unknown_without_figures() -> None:
    assert ServedWell().at(view(samples(5)), 4.0) is None


@pytest.mark.parametrize(
    ("rate", "expected"), [(300.0, True), (241.0, True), (239.0, False), (361.0, False), (0.0, False)]
)
def test_offered_is_judged_when_the_phase_is_over(rate: float, expected: bool) -> None:
    found = samples(30, **{signals.RPS: rate})
    assert Offered(300.0).at(view(found, closed=True), 29.0) is expected
    assert Offered(300.0).at(view(found), 29.0) is None


@pytest.mark.parametrize(("users", "begins"), [(100, 20), (8, 1), (9, 1), (1, 1), (0, 0)])
def test_a_control_run_is_asked_for_the_traffic_of_the_users_that_it_starts(users: int, begins: int) -> None:
    from lab.guards import control_users, guards
    from lab.scenario import Load, Phase, Scenario

    assert control_users(users) == begins
    scenario = Scenario("x", "X", Load("l.py", users, per_user=0.2), (), (), (), (), alerts=())
    flow = guards(scenario, header(users=users, control=True, speed=15.0), Phase.STEADY)[0].condition
    assert isinstance(flow, Offered)
    assert flow.expected_rps == pytest.approx(begins * 0.2 * 15)


def flowed(broken_rps: float, onset: float | None) -> bool | None:
    """Steady at 100/s for 30 s, broken from 30 on; the rate falls to 10/s at 45."""
    rps = {signals.RPS: lambda t: 100.0 if t < 30 else broken_rps if t < 45 else 10.0}
    events = (
        PhaseStarted(0.0, "steady"), Deployed(0.0, "healthy"), PhaseEnded(30.0, "steady"),
        PhaseStarted(30.0, "broken"), Deployed(31.0, "broken"), PhaseEnded(60.0, "broken"),
    )  # fmt: skip
    seen = view(sampled(rps, 61), *events, start=30.0, closed=True, onset_after_s=onset)
    return Flowed().at(seen, 60.0)


def test_traffic_is_guarded_up_to_the_onset() -> None:
    assert flowed(100.0, onset=12.0) is True
    assert flowed(100.0, onset=None) is False
    assert flowed(70.0, onset=12.0) is False


RULES_OK = {signals.seen_up("prometheus"): 1.0, signals.seen_up("rag"): 1.0, signals.COUNTED: 5.0}


def alerts(a: float | None, **more: float) -> View:
    """The rule A is in a state, over ten seconds."""
    values = {**RULES_OK, **more, **({} if a is None else {signals.alert_state("A"): a})}
    return view(samples(10, **values))


@pytest.mark.parametrize(("state", "expected"), [
    (signals.INACTIVE, True), (signals.PENDING, False), (signals.FIRING, False), (None, None),
])  # fmt: skip
def test_inactive(state: float | None, expected: bool | None) -> None:
    assert Inactive(("A",)).at(alerts(state), 9.0) is expected


@pytest.mark.parametrize("name", RULES_OK)
def test_silence_without_data_is_no_silence(name: str) -> None:
    assert Inactive(("A",)).at(alerts(signals.INACTIVE, **{name: 0.0}), 9.0) is None


@pytest.mark.parametrize(("event", "expected"), [
    (fired(5.0), True), (fired(5.0, "B"), False), (fired(5.0, status="resolved"), False),
    (fired(5.0, route="dry-run"), False), (fired(-1.0), False),
])  # fmt: skip
def test_delivered_counts_what_reached_people_in_this_phase(event: Notified, expected: bool) -> None:
    assert Delivered("A").at(view(samples(10), event), 9.0) is expected


def test_delivered_says_how_far_the_rule_got() -> None:
    said = {state: Delivered("A").observed(alerts(state), 9.0) for state in (0.0, 1.0, 2.0)}
    assert said == {0.0: "no notification", 1.0: "pending, not delivered", 2.0: "firing, not delivered"}


def test_with_rules_of_the_users_any_of_theirs_counts() -> None:
    seen = View(
        History(samples(10), [fired(5.0, "Mine")]), header(own_alerts=("Mine", "Other"), foreign_rules=True),
        Phase.BROKEN, 0.0, 9.0, False,
    )  # fmt: skip
    assert Delivered("A").at(seen, 9.0) is True


@pytest.mark.parametrize(("events", "state", "expected"), [
    ((fired(1.0), fired(5.0, status="resolved")), signals.INACTIVE, True),
    ((fired(1.0),), signals.INACTIVE, False),
    ((fired(1.0), fired(5.0, status="resolved"), fired(7.0)), signals.INACTIVE, False),
    ((fired(1.0), fired(5.0, status="resolved")), signals.PENDING, False),
    ((fired(1.0), fired(5.0, status="resolved")), None, None),
    ((fired(5.0, status="resolved"), fired(1.0)), signals.INACTIVE, True),
])  # fmt: skip
def test_resolved(events: tuple[Notified, ...], state: float | None, expected: bool | None) -> None:
    values = {} if state is None else {signals.alert_state("A"): state}
    assert Resolved("A").at(view(samples(10, **values), *events), 9.0) is expected


def test_only_declared_alerts() -> None:
    firing = {signals.alert_state("B"): signals.FIRING}
    assert NotFiring(("A",)).at(view(samples(10, **firing)), 9.0) is False
    assert NotFiring(("A", "B")).at(view(samples(10, **firing)), 9.0) is True
    assert NotFiring(("A",)).at(view(samples(10), fired(5.0, "B")), 9.0) is False
    assert NotFiring(("A",)).at(view(samples(10), fired(5.0, "Watchdog")), 9.0) is True
    assert NotFiring(("A",)).at(view(samples(10, **{signals.alert_state("B"): signals.PENDING})), 9.0) is True


HURT = LogSeen(5.0, "prometheus", "logs/prometheus.log", 7, "no space left on device")


@pytest.mark.parametrize(("status", "events", "expected"), [
    (200.0, (HURT,), True), (503.0, (HURT,), False), (200.0, (), None), (None, (HURT,), None),
])  # fmt: skip
def test_still_says_yes_only_after_the_damage(status: float | None, events: tuple, expected: bool | None) -> None:
    values = {} if status is None else {signals.ready("prometheus"): status}
    assert StillSaysYes("prometheus").at(view(samples(10, **values), *events), 9.0) is expected
    assert StillSaysYes("prometheus").at(view(samples(10, **values), *events), 4.0) is None
    assert StillSaysYes("prometheus").at(view(samples(10, **values), *events), 5.0) is None


@pytest.mark.parametrize(("value", "expected"), [(1.0, True), (0.0, False), (None, None)])
def test_still_up(value: float | None, expected: bool | None) -> None:
    values = {} if value is None else {signals.up("rag"): value}
    assert StillUp("rag", "prometheus").at(view(samples(10, **values), HURT), 9.0) is expected


@pytest.mark.parametrize(("events", "expected"), [
    ((fired(3.0), HURT), True), ((fired(5.5), HURT), False), ((HURT,), False), ((fired(3.0),), None), ((), None),
    ((fired(5.0), HURT), False),
])  # fmt: skip
def test_order_is_taken_from_the_events_themselves(events: tuple, expected: bool | None) -> None:
    from lab.conditions.logs import Seen

    before = Before(Check("seen", Delivered("A")), Check("hurt", Seen("prometheus", "no space")))
    assert before.at(view(samples(10), *events), 9.0) is expected


@pytest.mark.parametrize("hurt_at", [None, 300.0])
def test_order_over_a_long_phase_asks_each_moment_once(hurt_at: float | None) -> None:
    asked = []

    class Asked(Threshold):
        def at(self, view: View, t: float) -> bool | None:
            asked.append(t)
            return super().at(view, t)

    def hurt(t: int) -> float:
        return float(hurt_at is not None and t >= hurt_at)

    never, late = Asked("x", "x", "above", 9.0), Asked("y", "y", "above", 0.0)
    order = Check("order", Before(Check("seen", never), Check("hurt", late)), Mode.ALWAYS)
    found = evaluate(order, view(samples(600, x=0.0, y=hurt)))
    assert (found.result if found else None) is (None if hurt_at is None else Result.FAIL)
    assert len(asked) <= 2 * 600


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, "0.5"), (12_345.0, "12,345"), (970_000.0, "970,000"), (1_006_523.0, "1,006,523")]
)
def test_numbers_are_said_in_full(value: float, said: str) -> None:
    assert number(value) == said
