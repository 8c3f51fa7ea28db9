"""Load shapes: users by simulated time, how Locust gets them, and guards that count per user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from histories import header, samples, view
from test_workers import traffic

from lab.catalog import find
from lab.conditions.traffic import Flowed, Made, Offered, per_user
from lab.events import Deployed, PhaseEnded, PhaseStarted
from lab.guards import guards
from lab.loadgen.shapes import SHAPES, users_at
from lab.scenario import Load, Phase, Shape


@pytest.mark.parametrize(("shape", "minutes", "users"), [
    ("steady", 0, 20), ("steady", 99, 20),
    ("spike", 0, 20), ("spike", 2.9, 20), ("spike", 3, 40), ("spike", 3.9, 40), ("spike", 4, 20), ("spike", 7, 40),
    ("ramp", 0, 5), ("ramp", 5, 18), ("ramp", 10, 30), ("ramp", 60, 30),
    ("double-halve", 0, 20), ("double-halve", 2, 40), ("double-halve", 4, 20), ("double-halve", 6, 10),
    ("double-halve", 8, 20),
])  # fmt: skip
def test_users_at_a_moment(shape: str, minutes: float, users: int) -> None:
    assert users_at(shape, 20, minutes * 60) == users


def test_there_is_always_somebody() -> None:
    assert {users_at(shape, 1, minute * 60) for shape in SHAPES for minute in range(20)} <= {1, 2}


def test_the_vocabulary_knows_every_shape() -> None:
    assert set(get_args(Shape)) == set(SHAPES)


@pytest.mark.parametrize("workers", [0, 2])
def test_locust_gets_the_shape_beside_the_locustfile(workers: int, tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path, workers=2)
    replace(found, workers=workers).start(Load(users=10, shape="ramp"), Path("l.py"), 15.0)
    for spec in runtime.started:
        files = spec.argv[spec.argv.index("-f") + 1].split(",")
        assert [Path(file).name for file in files] == ["l.py", "live.py", "shaped.py"]
        assert (spec.env["LAB_LOAD_SHAPE"], spec.env["LAB_LOAD_USERS"], spec.env["LAB_LOAD_SPEED"]) == (
            "ramp", "10", "15.0",
        )  # fmt: skip


def test_a_steady_load_has_no_shape(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path)
    replace(found, workers=0).start(Load(users=10), Path("l.py"), 15.0)
    assert "shaped.py" not in " ".join(runtime.started[0].argv)


STEADY = (PhaseStarted(0.0, "steady"), Deployed(0.0, "healthy"), PhaseEnded(20.0, "steady"))
BROKEN = (PhaseStarted(20.0, "broken"), Deployed(20.0, "broken"), PhaseEnded(60.0, "broken"))


def holds(condition: Flowed, rate: float, users: float) -> bool | None:
    """After a steady phase of 10 users who make 100 requests a second, a broken one with other numbers."""
    found = samples(61, requests_per_s=lambda t: 100.0 if t < 20 else rate, users=lambda t: 10.0 if t < 20 else users)
    seen = view(found, *STEADY, *BROKEN, phase=Phase.BROKEN, closed=True, start=20.0)
    return condition.at(seen, 60.0)


def test_twice_the_users_may_make_twice_the_requests() -> None:
    assert holds(Flowed(per_user=True), 200.0, 20.0) is True
    assert holds(Flowed(), 200.0, 20.0) is False


def test_users_who_do_not_get_through_are_no_traffic() -> None:
    assert holds(Flowed(per_user=True), 100.0, 20.0) is False
    assert holds(Flowed(per_user=True), 0.0, 20.0) is False
    assert holds(Flowed(per_user=True), 0.0, 0.0) is False


def test_a_second_in_which_users_come_or_go_is_not_counted() -> None:
    """Their requests lag behind: seen live at each step of `double-halve`."""
    steps = {14: 20.0, 40: 10.0}

    def users(t: int) -> float:
        return steps[max(step for step in steps if step <= t)] if t >= min(steps) else 10.0

    found = samples(61, users=users, requests_per_s=lambda t: 10 * users(t - 1))
    seen = view(found, *STEADY, *BROKEN, phase=Phase.BROKEN, closed=True, start=20.0)
    assert per_user(seen.history, 14.0, 14.5) is None
    assert per_user(seen.history, 10.0, 20.0) == per_user(seen.history, 30.0, 60.0) == 10.0
    assert Flowed(per_user=True).at(seen, 60.0) is True


def test_a_slow_ramp_is_counted() -> None:
    found = samples(41, users=lambda t: 20.0 + t // 2, requests_per_s=lambda t: 10 * (20.0 + (t - 1) // 2))
    assert per_user(view(found, *STEADY).history, 0.0, 40.0) == pytest.approx(10.0, rel=0.03)


def test_without_a_steady_phase_nothing_is_compared() -> None:
    seen = view(samples(61, requests_per_s=9.0, users=9.0), *BROKEN, phase=Phase.BROKEN, closed=True, start=20.0)
    assert Flowed(per_user=True).at(seen, 60.0) is Flowed().at(seen, 60.0) is False


def offered(condition: Offered, rate: float, users: float) -> bool | None:
    found = samples(21, requests_per_s=rate, users=users)
    return condition.at(view(found, *STEADY, phase=Phase.STEADY, closed=True), 20.0)


def test_each_user_makes_a_share_of_what_is_offered() -> None:
    assert offered(Offered(100.0, users=10), 50.0, 5.0) is True
    assert offered(Offered(100.0), 50.0, 5.0) is False
    assert offered(Offered(100.0, users=10), 50.0, 10.0) is False
    assert offered(Offered(100.0, users=10), 0.0, 0.0) is False


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("name", ["cardinality", "rate_limit"])
def test_guards_count_per_user_where_there_is_a_shape(name: str, phase: Phase) -> None:
    scenario = find(name).scenario

    def of(shape: str) -> Flowed | Made | Offered:
        condition = guards(scenario, header(users=20, shape=shape), phase)[0].condition
        assert isinstance(condition, Flowed | Made | Offered)
        return condition

    plain, shaped = of("steady"), of("spike")
    assert (shaped.users if isinstance(shaped, Offered) else shaped.per_user) == (
        20 if isinstance(shaped, Offered) else True
    )
    assert not (plain.users if isinstance(plain, Offered) else plain.per_user)
