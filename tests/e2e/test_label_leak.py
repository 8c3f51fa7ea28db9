"""The label leak on real servers: the process is really killed, twice; and the check can fail."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, Ran, run_lab

pytestmark = pytest.mark.e2e
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
SCENARIO = Path(__file__).resolve().parent.parent.parent / "scenarios" / "label_leak"
BROKEN = SCENARIO / "broken"
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
        ("request_id", "series of rag constant"),
        ("clears", "series of rag constant"),
        ("execs", "rag lives on"),
    ],
)
def test_a_fix_that_only_looks_like_one_fails(fix: str, check: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--fix", str(SABOTAGE / "label_leak" / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert check in ran.failed()
    if fix == "request_id":
        assert ran.check("memory of rag flat")["result"] != "pass"


@pytest.mark.sabotage
def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--fix", str(BROKEN))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "series of rag constant" in ran.failed()


@pytest.mark.sabotage
def test_without_rules_it_is_killed_unseen(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--detect", str(SABOTAGE / "no_rules.yml"), deadline_s=120)
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "seen before it hurts" in ran.failed()
    assert KILLED in ran.check("rag killed")["observed"]
    assert ran.outcome["notifications"] == []


@pytest.mark.quick
def test_a_rule_that_always_fires_detects_nothing(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--detect", str(SABOTAGE / "always_fires.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "nobody notified" in ran.failed()


@pytest.mark.sabotage
def test_a_deployment_without_the_label_is_no_fault(tmp_path: Path) -> None:
    """The same scenario with fixed/ as its broken/: no symptom, and so no pass."""
    folder = tmp_path / "label_leak"
    shutil.copytree(SCENARIO, folder, ignore=shutil.ignore_patterns("broken", "__pycache__"))
    shutil.copytree(SCENARIO / "fixed", folder / "broken")
    ran = run_lab(tmp_path, str(folder))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "memory of rag grows" in ran.failed()
    assert ran.outcome["notifications"] == []


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]
    assert ran.outcome["reason"] == "traffic flowed: no requests"


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "label_leak", "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []
