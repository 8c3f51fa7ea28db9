"""Incidents of the service on real servers: each is seen and cured; and the check can fail."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, Ran, run_lab

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parent.parent.parent
SABOTAGE = ROOT / "tests" / "sabotage"
INCIDENTS = ROOT / "scenarios" / "service"
RAISED = {
    "rate_limit": {"RateLimitClose", "CostSpike", "CallsRefused"},
    "error_burst": {"HighErrorRate", "ErrorsOfOneKind"},
    "cost_spike": {"CostSpike", "PromptsTooLong"},
    "quality_drop": {"ResponseQualityLow", "AnswersUseless"},
}
WRONG_FIXES = {
    "rate_limit/only_polite": "cache hit ratio > 0.8",
    "error_burst/counts_success": "queries served",
    "cost_spike/hides_costs": "costs still counted",
    "quality_drop/clamps": "queries served",
}
NOOP = {
    "rate_limit": "cache hit ratio > 0.8",
    "error_burst": "rag says that it is ready",
    "cost_spike": "tokens in a prompt < 1,000",
    "quality_drop": "quality of answers > 0.8",
}
UNSEEN = {
    "rate_limit": "seen before it hurts",
    "error_burst": "HighErrorRate delivered",
    "cost_spike": "PromptsTooLong delivered",
    "quality_drop": "AnswersUseless delivered",
}
"""What fails first where nobody is told; a promise of order may end the phase before the alert's own deadline."""


@pytest.mark.whole
@pytest.mark.parametrize("name", RAISED)
def test_it_is_seen_and_cured(name: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, name)
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    told = {n["alert"] for n in ran.outcome["notifications"] if n["status"] == "firing"}
    assert told >= RAISED[name]
    assert {n["alert"] for n in ran.outcome["notifications"] if n["status"] == "resolved"} >= RAISED[name]


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run of the opening story, told blind."""
    return run_lab(tmp_path_factory.mktemp("blind"), "rate_limit:blind")


@pytest.mark.whole
def test_first_blind_then_seen(blind: Ran) -> None:
    assert (blind.code, blind.outcome["verdict"]) == (0, "pass"), blind.told[-3000:]
    starts = {phase["name"]: phase["started_at"] for phase in blind.outcome["phases"]}
    assert blind.outcome["notifications"]
    assert all(n["t"] > starts["fixed"] for n in blind.outcome["notifications"])
    assert "USD" in blind.check("dollars burnt")["observed"]
    assert {n["alert"] for n in blind.outcome["notifications"]} >= {"RateLimitClose", "CostSpike"}


@pytest.mark.whole
def test_analyze_gives_the_same_outcome_without_servers(blind: Ran, tmp_path: Path) -> None:
    done = subprocess.run(
        [*LAB, "analyze", blind.outcome["run_dir"], "--json", "-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/nowhere", "LAB_STATE_DIR": str(tmp_path)},
    )
    assert (done.returncode, json.loads(done.stdout)) == (blind.code, blind.outcome)


@pytest.mark.sabotage
@pytest.mark.parametrize("name", RAISED)
def test_a_fix_that_changes_nothing_fails(name: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, name, "--fix", str(INCIDENTS / name / "broken"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert NOOP[name] in ran.failed()


@pytest.mark.sabotage
def test_blind_for_good_is_no_fix(tmp_path: Path) -> None:
    folder = INCIDENTS / "rate_limit" / "variants" / "blind" / "broken"
    ran = run_lab(tmp_path, "rate_limit:blind", "--fix", str(folder))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "RateLimitClose delivered" in ran.failed()


@pytest.mark.sabotage
@pytest.mark.parametrize(("fix", "decisive"), WRONG_FIXES.items())
def test_a_fix_that_only_looks_like_one_fails(fix: str, decisive: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, fix.partition("/")[0], "--fix", str(SABOTAGE / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert decisive in ran.failed()


@pytest.mark.sabotage
@pytest.mark.parametrize("name", RAISED)
def test_without_rules_nothing_is_detected(name: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, name, "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert UNSEEN[name] in ran.failed()


@pytest.mark.sabotage
@pytest.mark.parametrize("name", RAISED)
def test_without_users_nothing_is_proven(name: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, name, "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]
    assert ran.outcome["reason"] == "traffic flowed: no requests"


@pytest.mark.sabotage
@pytest.mark.parametrize("name", RAISED)
def test_the_control_run_is_silent(name: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, name, "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []


@pytest.mark.sabotage
def test_all_of_them_in_a_row_are_one_summary_and_one_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [*LAB, "run", "all-service", "--quiet", "--out", str(tmp_path / "runs"), "--json", "-"],
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    outcomes = json.loads(done.stdout)
    assert sorted(outcome["scenario"] for outcome in outcomes) == sorted(RAISED)
    codes = {outcome["exit_code"] for outcome in outcomes}
    assert done.returncode == next(code for code in (1, 3, 0) if code in codes), done.stderr[-3000:]
    assert done.stderr.count("raised at a server") == 1
    for outcome in outcomes:
        own, raised = (set(outcome["alerts"][which]) for which in ("own", "raised"))
        assert own
        assert own | RAISED[outcome["scenario"]] <= raised, outcome["scenario"]
