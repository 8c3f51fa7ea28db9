"""The alert storm on real servers: it passes, and it can fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_run import Ran, run_lab

pytestmark = pytest.mark.e2e
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
BROKEN = Path(__file__).resolve().parent.parent.parent / "scenarios" / "alert_storm" / "broken"
META, ALERT, TRIAL = "AlertFlapping", "LatencyP95High", "LatencyP95OnTrial"


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run."""
    return run_lab(tmp_path_factory.mktemp("pass"), "alert_storm")


def told(ran: Ran, alert: str, route: str, phase: str) -> list[str]:
    """Statuses of an alert in a channel, in order, from a phase's beginning to its end."""
    found = next(p for p in ran.outcome["phases"] if p["name"] == phase)
    start, end = found["started_at"], found["started_at"] + found["duration_s"]
    return [
        n["status"]
        for n in ran.outcome["notifications"]
        if n["alert"] == alert and n["route"] == route and start <= n["t"] <= end
    ]


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]


def test_pairs_are_really_delivered(passed: Ran) -> None:
    storm = told(passed, ALERT, "alerts", "broken")
    assert storm[:6] == ["firing", "resolved"] * 3


def test_the_meta_alert_names_the_culprit_and_does_not_sustain_itself(passed: Ran) -> None:
    meta = [n for n in passed.outcome["notifications"] if n["alert"] == META]
    assert {n["labels"]["flapping"] for n in meta} == {ALERT}
    assert {n["route"] for n in meta} == {"console"}
    assert meta[-1]["status"] == "resolved"


def test_the_incident_is_told_once_in_each_channel(passed: Ran) -> None:
    assert told(passed, ALERT, "alerts", "fixed")[-2:] == ["firing", "resolved"]
    assert passed.check("incident told once")["observed"].startswith(
        "#alerts 1 fired, 1 resolved; #console 1 fired, 1 "
    )


def test_the_rule_on_trial_is_written_down_and_rings_nowhere(passed: Ran) -> None:
    assert "firing" in told(passed, TRIAL, "dry-run", "fixed")
    assert {n["route"] for n in passed.outcome["notifications"] if n["alert"] == TRIAL} == {"dry-run"}


def test_three_days_side_by_side(passed: Ran) -> None:
    said = passed.check("quiet days")["observed"]
    broken, fixed = said.split("; ")
    assert int(broken.split()[1]) > 1000
    assert fixed.startswith("fixed: 3 in 3 days")


def test_a_threshold_that_nothing_reaches_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--fix", str(SABOTAGE / "alert_storm" / "threshold_5s"), deadline_s=300)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "quiet days" in ran.failed()


@pytest.mark.sabotage
@pytest.mark.parametrize(("fix", "check"), [("removed_rule", "quiet days"), ("muted_route", "incident told once")])
def test_a_fix_that_only_looks_like_one_fails(fix: str, check: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--fix", str(SABOTAGE / "alert_storm" / fix), deadline_s=300)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert check in ran.failed()


@pytest.mark.sabotage
def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--fix", str(BROKEN), deadline_s=300)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]


@pytest.mark.sabotage
def test_without_rules_nothing_is_detected(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--detect", str(SABOTAGE / "no_rules.yml"), deadline_s=300)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert f"{META} delivered" in ran.failed()


@pytest.mark.quick
def test_a_rule_that_always_fires_detects_nothing(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--detect", str(SABOTAGE / "always_fires.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "nobody notified" in ran.failed()


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]
    assert ran.outcome["reason"] == "traffic flowed: no requests"


@pytest.mark.sabotage
def test_the_control_run_tells_nobody(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "alert_storm", "--control", deadline_s=300)
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert {n["route"] for n in ran.outcome["notifications"]} <= {"dry-run"}
