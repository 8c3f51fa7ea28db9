"""The server that panics on a full disk, for real: twice; a kill from outside is told apart; and the check can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, Ran, journal_says, run_lab
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.whole]
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
VARIANT = Path(__file__).resolve().parent.parent.parent / "scenarios" / "cardinality" / "variants" / "crash"
NAME = "cardinality:crash"
ALERT, DOWN = "MetricCardinalityExplosion", "TargetDown"
PANIC = "panic: preallocate: no space left on device"


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run."""
    return run_lab(tmp_path_factory.mktemp("pass"), NAME)


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]
    assert passed.outcome["variant"] == "crash"


def test_it_panics_and_again_before_it_is_ready(passed: Ran) -> None:
    log = (Path(passed.outcome["run_dir"]) / "logs" / "prometheus.log").read_text(errors="replace")
    assert log.count(PANIC) >= 2
    assert passed.check("prometheus exits with 2")["observed"].startswith("exit code 2, after ")
    assert passed.check("prometheus exits with 2 again")["observed"].endswith("never ready in between")
    assert any(PANIC in line for line in passed.outcome["evidence"])


def test_the_growth_is_told_before_and_the_death_after(passed: Ran) -> None:
    panicked = passed.check(f"prometheus says: {PANIC}")["after_s"]
    assert passed.check(f"{ALERT} delivered")["after_s"] < panicked < passed.check(f"{DOWN} delivered")["after_s"]


def test_the_alert_on_growth_resolves_while_the_server_is_dead(passed: Ran) -> None:
    """Which is why a resolved alert proves nothing."""
    fixed = next(p for p in passed.outcome["phases"] if p["name"] == "fixed")
    told = [(n["alert"], n["status"]) for n in passed.outcome["notifications"] if n["t"] < fixed["started_at"]]
    assert (ALERT, "resolved") in told
    assert (DOWN, "firing") in told
    assert (DOWN, "resolved") not in told


@pytest.mark.sabotage
def test_a_kill_from_outside_is_inconclusive(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [*LAB, "run", NAME, "--out", str(tmp_path / "runs"), "--json", str(tmp_path / "o.json")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LAB_STATE_DIR": str(tmp_path / "state")},
    )
    until(journal_says(tmp_path, '"what":"broken"'), 60, "broken/ is live")
    targets = next((tmp_path / "runs").glob("*/*/config/host-targets.json"))
    os.kill(int(json.loads(targets.read_text())["services"]["prometheus"]), signal.SIGKILL)
    assert run.wait(90) == 3
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert outcome["verdict"] == "inconclusive"
    assert "prometheus ended: signal 9" in json.dumps(outcome)
    assert not [c for p in outcome["phases"] for c in p["checks"] if c["result"] == "fail"]


@pytest.mark.sabotage
def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--fix", str(VARIANT / "broken"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert {"head series flat", f"{ALERT} resolved"} & set(ran.failed())


@pytest.mark.sabotage
def test_without_rules_nothing_is_detected(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "seen before it hurts" in ran.failed()


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []
