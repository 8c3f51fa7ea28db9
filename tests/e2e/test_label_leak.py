"""The label leak on real servers: the process is really killed, twice; and the check can fail."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, Ran, run_lab

pytestmark = pytest.mark.e2e
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
BROKEN = Path(__file__).resolve().parent.parent.parent / "scenarios" / "label_leak" / "broken"
ALERT = "MetricsServerMemoryGrowth"
KILLED = "killed by the lab at its memory limit of 192 MiB"


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run."""
    return run_lab(tmp_path_factory.mktemp("pass"), "label_leak")


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]


def test_it_is_killed_twice_and_the_run_says_by_whom(passed: Ran) -> None:
    ends = [line for line in passed.outcome["evidence"] if "rag ended" in line]
    assert len(ends) == 2
    assert all(KILLED in line for line in ends)


def test_the_alert_comes_before_the_kill_and_scrapes_fail_before_it(passed: Ran) -> None:
    killed = passed.check("rag killed")["after_s"]
    assert passed.check(f"{ALERT} delivered")["after_s"] < killed
    choked = passed.check("scrapes of rag choke")
    assert choked["after_s"] < killed
    assert "context deadline exceeded" in choked["observed"]


def test_the_server_names_the_culprit(passed: Ran) -> None:
    culprit = passed.outcome["culprit"]
    assert (culprit["metric"], culprit["label"]) == ("rag_query_duration_seconds_bucket", "timestamp")


def test_memory_is_flat_by_its_confidence_interval(passed: Ran) -> None:
    assert "broken +" in passed.check("memory of rag flat")["observed"]
    assert passed.check("series of rag constant")["observed"].endswith("0 of them new")


def test_analyze_gives_the_same_outcome_without_servers(passed: Ran, tmp_path: Path) -> None:
    done = subprocess.run(
        [*LAB, "analyze", passed.outcome["run_dir"], "--json", "-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/nowhere", "LAB_STATE_DIR": str(tmp_path)},
    )
    assert (done.returncode, json.loads(done.stdout)) == (passed.code, passed.outcome)


def test_a_fix_that_restarts_now_and_then_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--fix", str(SABOTAGE / "label_leak" / "restarts"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    stays = ran.check("rag lives on")
    assert (stays["result"], stays["observed"]) == ("fail", "rag ended: exit code 0")


@pytest.mark.sabotage
@pytest.mark.parametrize(
    ("fix", "check"),
    [
        ("request_id", "memory of rag flat"),
        ("request_id", "series of rag constant"),
        ("clears", "series of rag constant"),
        ("execs", "rag lives on"),
    ],
)
def test_a_fix_that_only_looks_like_one_fails(fix: str, check: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--fix", str(SABOTAGE / "label_leak" / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ran.check(check)["result"] != "pass"
    assert ran.failed()


@pytest.mark.sabotage
def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--fix", str(BROKEN))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]


@pytest.mark.sabotage
def test_without_rules_nothing_is_detected(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert {"seen before it hurts", f"{ALERT} delivered"} & set(ran.failed())


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--users", "0")
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []
