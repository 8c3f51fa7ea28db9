"""Budgets: waits in simulated and real time, the pipeline of an alert, and what `--dry-run` says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from histories import header, view

from lab.budget import longest_s, pipeline_budget_s, waits
from lab.catalog import find
from lab.deployment import Deployment
from lab.history import Sample
from lab.install import Binary
from lab.options import Options
from lab.plan import Plan
from lab.report.dry_run import dry_run_text
from lab.runtime.place import Place, Servers
from lab.scenario import BOUNDED_VOLUME, Check, Load, Scenario, Storage, Wait

RULES = {"r.yml": "groups:\n- name: g\n  rules:\n  - {alert: A, expr: x, for: 2m}\n  - {alert: B, expr: x}\n"}
ALERTMANAGER = "route: {receiver: x, group_wait: 30s}\n"


@pytest.mark.parametrize(("speed", "alerts", "expected"), [
    (1.0, ("A",), 120 + 30 + 30), (15.0, ("A",), 12.0), (15.0, ("B",), 4.0), (15.0, ("A", "B"), 4.0),
])  # fmt: skip
def test_the_pipeline_is_for_group_wait_a_scrape_and_an_evaluation(
    speed: float, alerts: tuple[str, ...], expected: float
) -> None:
    assert pipeline_budget_s(RULES, alerts, ALERTMANAGER, speed) == pytest.approx(expected)


@pytest.mark.parametrize(("alertmanager", "expected"), [("route: {receiver: x}\n", 180.0), ("", 180.0), (
    "route: {receiver: x, group_wait: 0s}\n", 150.0
)])  # fmt: skip
def test_group_wait_has_its_own_default(alertmanager: str, expected: float) -> None:
    assert pipeline_budget_s(RULES, ("A",), alertmanager, 1.0) == pytest.approx(expected)


class Never:
    expected = "never"

    def at(self, seen: object, t: float) -> bool | None:
        return None

    def observed(self, seen: object, t: float) -> str:
        return "-"


def never(name: str) -> Check:
    return Check(name, Never())


SCENARIO = Scenario(
    name="mine", title="t", load=Load(users=10, per_user=2.0), alerts=("A",), seen_before_damage=False,
    onset=(never("onset").within(minutes=15, real_s=10),),
    detected=(never("seen").within(minutes=30, real_s=0),),
    damage=(never("watched").always(),),
    recovered=(never("cured").within(minutes=15, real_s=1).holds_for(minutes=30, real_s=2),),
    storage=Storage(size_mib=1.5, healed_mib=64),
)  # fmt: skip


def test_only_checks_that_wait_are_waits() -> None:
    names = {w.check for w in waits(SCENARIO, header())}
    assert {"onset", "seen", "cured", "service healthy"} <= names
    assert not {"watched", "only declared alerts"} & names


def test_deadline_and_hold_add_up_in_both_times() -> None:
    (cured,) = [w for w in waits(SCENARIO, header()) if w.check == "cured"]
    assert cured.deadline + cured.hold == Wait(simulated_s=45 * 60, real_s=3)
    assert [cured.seconds(speed) for speed in (1, 15)] == [2703, 183]


def test_waits_of_a_phase_run_side_by_side() -> None:
    scenario = replace(SCENARIO, recovered=(never("short").within(minutes=1, real_s=0),))
    alone = longest_s(scenario, header())
    assert (
        longest_s(replace(scenario, recovered=(*scenario.recovered, never("x").within(minutes=1, real_s=0))), header())
        == alone
    )
    longer = replace(scenario, recovered=(*scenario.recovered, never("y").within(minutes=16, real_s=0)))
    assert longest_s(longer, header()) == pytest.approx(alone + 60)


def plan(scenario: Scenario = SCENARIO, **changes: object) -> Plan:
    binary = Binary(
        name="prometheus", path=Path("/x/prometheus"), version=(2, 53, 1), version_text="2.53.1", source="flag"
    )
    nothing = Deployment("broken")
    return Plan(
        find("cardinality"), scenario, Options(), Place("native", Servers(binary, binary, binary)), {},
        nothing, nothing, header(scenario="mine", **changes),
    )  # fmt: skip


def test_dry_run_names_services_bounds_and_both_times() -> None:
    text = dry_run_text(plan())
    assert "run of mine, native, speed 15, seed 1; nothing is started" in text
    for service in ("rag", "prometheus", "observer", "alertmanager", "receiver", "host"):
        assert f"\n  {service} " in text
    assert "/x/prometheus 2.53.1" in text
    assert "10 users, 300 requests a second" in text
    assert "1.5 MiB, after the fix 64 MiB" in text
    assert "  memory            about 800 MiB in all\n" in text
    assert "pipeline of the alert: 1.0 s" in text
    cured = next(line for line in text.splitlines() if line.endswith("cured"))
    assert cured.split()[:7] == ["fixed", "45.0", "min", "3", "s", "183.0", "s"]


def test_dry_run_counts_the_users_of_this_run_and_its_speed() -> None:
    text = dry_run_text(plan(users=3, speed=1.0, control=True))
    assert "control run of mine, native, speed 1" in text
    assert "3 users, 6 requests a second" in text


def test_the_default_deadline_is_eight_minutes() -> None:
    assert Check("x", Never()).deadline == Wait(simulated_s=480, real_s=10)
    assert never("x").needing(BOUNDED_VOLUME).needs == BOUNDED_VOLUME


def test_a_view_counts_from_its_deployment() -> None:
    assert view([Sample(1.0, {})]).zero == 0.0
