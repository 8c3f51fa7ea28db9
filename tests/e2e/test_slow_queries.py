"""A dashboard that times out, on a real Prometheus with two days of history: seen, cured, not cured by hiding it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lab_run import Ran, run_lab

from lab.journal import read

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
SABOTAGE = ROOT / "tests" / "sabotage"
SCENARIO = ROOT / "scenarios" / "slow_queries"
ALERT = "PrometheusQueriesSlow"
ONSET = "viewers wait for panels"
TIMED_OUT = "timeout: query timed out in expression evaluation"


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run."""
    return run_lab(tmp_path_factory.mktemp("pass"), "slow_queries")


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]


def test_viewers_saw_the_servers_own_words(passed: Ran) -> None:
    assert any(TIMED_OUT in text for text in passed.outcome["evidence"]), passed.outcome["evidence"]


def test_the_healthy_dashboard_answers_before_the_fault(passed: Ran) -> None:
    history = read(Path(passed.outcome["run_dir"]) / "journal.jsonl").history
    steady = next(p for p in passed.outcome["phases"] if p["name"] == "steady")
    assert steady["checks"]
    live = next(e.t for e in history.events if getattr(e, "what", "") == "broken")
    seen = [s.values["panel_p95_s"] for s in history.samples if s.t < live and "panel_p95_s" in s.values]
    assert seen
    assert max(seen) < 1.0


def test_the_same_panels_answer_in_under_a_second(passed: Ran) -> None:
    said = passed.check("same panels answer", "fixed")
    assert said["result"] == "pass"
    assert said["observed"].startswith("all answer")


def test_the_record_says_what_the_slow_query_said(passed: Ran) -> None:
    history = read(Path(passed.outcome["run_dir"]) / "journal.jsonl").history
    answers = {e.question: e.value for e in history.events if e.kind == "answered"}  # type: ignore[attr-defined]
    slow = answers["sum(rate(rag_queries_total[24h]))"]
    assert answers["sum(avg_over_time(rag:query_rate:5m[24h]))"] == pytest.approx(slow, rel=0.02)
    assert slow == pytest.approx(60, rel=0.02)


def test_fired_once_and_resolved_once(passed: Ran) -> None:
    told = [(n["alert"], n["status"]) for n in passed.outcome["notifications"]]
    assert told == [(ALERT, "firing"), (ALERT, "resolved")]


def test_both_deployments_have_the_same_panels() -> None:
    def titles(what: str) -> list[str]:
        return [p["title"] for p in json.loads((SCENARIO / what / "dashboard.json").read_text())["panels"]]

    assert titles("broken") == titles("fixed")


@pytest.mark.sabotage
def test_a_healthy_dashboard_is_no_fault(tmp_path: Path) -> None:
    """The same scenario with fixed/ as its broken/: no symptom, and so no pass."""
    folder = tmp_path / "slow_queries"
    shutil.copytree(SCENARIO, folder, ignore=shutil.ignore_patterns("broken", "__pycache__"))
    shutil.copytree(SCENARIO / "fixed", folder / "broken")
    ran = run_lab(tmp_path, str(folder), deadline_s=120)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ONSET in ran.failed()
    assert ran.outcome["notifications"] == []


def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--fix", str(SCENARIO / "broken"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ran.check(f"{ALERT} delivered", "broken")["result"] == "pass"


@pytest.mark.sabotage
@pytest.mark.parametrize(
    ("fix", "check"),
    [
        ("unchanged_dashboard", "same panels answer"),
        ("emptied_dashboard", "same panels answer"),
        ("renamed_panels", "same panels answer"),
        ("wrong_record", "same numbers"),
        ("constant_panels", "panels tell the same"),
    ],
)
def test_a_fix_that_only_looks_like_one_fails(fix: str, check: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--fix", str(SABOTAGE / "slow_queries" / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ran.check(check, "fixed")["result"] == "fail"


@pytest.mark.sabotage
def test_without_rules_nothing_is_detected(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.failed()) == (1, [f"{ALERT} delivered"]), ran.told[-3000:]


@pytest.mark.quick
def test_a_rule_that_always_fires_detects_nothing(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--detect", str(SABOTAGE / "always_fires.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "nobody notified" in ran.failed()


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]
    assert ran.outcome["reason"] == "traffic flowed: no requests"


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "slow_queries", "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []
