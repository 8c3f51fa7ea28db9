"""The main job on real servers: it passes, and it can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import jsonschema
import pytest
from lab_run import LAB, Ran, journal_says, run_lab
from waiting import until

import lab.report

pytestmark = pytest.mark.e2e
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
BROKEN = Path(__file__).resolve().parent.parent.parent / "scenarios" / "cardinality" / "broken"
ALERT = "MetricCardinalityExplosion"


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run."""
    return run_lab(tmp_path_factory.mktemp("pass"), "cardinality")


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]


def test_the_outcome_fits_its_schema(passed: Ran) -> None:
    schema = json.loads((Path(lab.report.__file__).parent / "run.schema.json").read_text())
    jsonschema.validate(passed.outcome, schema)


def test_the_alert_comes_before_the_disk_is_full(passed: Ran) -> None:
    alert = passed.check(f"{ALERT} delivered")["after_s"]
    full = passed.check("prometheus says: no space left on device")["after_s"]
    assert alert < full


def test_the_server_names_the_culprit(passed: Ran) -> None:
    culprit = passed.outcome["culprit"]
    assert (culprit["metric"], culprit["label"]) == ("rag_queries_total", "query_text")
    assert culprit["values"] > 1000


def test_time_to_detect_is_signal_plus_pipeline(passed: Ran) -> None:
    o = passed.outcome
    assert o["time_to_detect_s"] == pytest.approx(o["signal_delay_s"] + o["pipeline_delay_s"], abs=0.002)
    assert 0 < o["signal_delay_s"] < o["time_to_detect_s"]


def test_the_evidence_quotes_the_server_with_file_and_line(passed: Ran) -> None:
    file, line, text = passed.outcome["evidence"][0].split(":", 2)
    log = (Path(passed.outcome["run_dir"]) / file).read_text().splitlines()
    assert log[int(line) - 1] == text.strip()
    assert "no space left on device" in text


def test_fired_once_and_resolved_once(passed: Ran) -> None:
    told = [(n["alert"], n["status"]) for n in passed.outcome["notifications"] if n["alert"] == ALERT]
    assert told == [(ALERT, "firing"), (ALERT, "resolved")]


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


@pytest.mark.sabotage
def test_a_fix_that_changes_nothing_fails(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--fix", str(BROKEN))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ran.check(f"{ALERT} delivered", "broken")["result"] == "pass"


@pytest.mark.sabotage
def test_prometheus_killed_from_outside_is_inconclusive(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run = subprocess.Popen(
        [*LAB, "run", "cardinality", "--out", str(tmp_path / "runs"), "--json", str(tmp_path / "o.json")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LAB_STATE_DIR": str(state)},
    )
    until(journal_says(tmp_path, '"what":"broken"'), 60, "broken/ is live")
    os.kill(_pid_of("prometheus", tmp_path), signal.SIGKILL)
    assert run.wait(60) == 3
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert outcome["verdict"] == "inconclusive"
    assert "prometheus ended: signal 9" in json.dumps(outcome)
    assert not [c for p in outcome["phases"] for c in p["checks"] if c["result"] == "fail"]


def _pid_of(service: str, tmp: Path) -> int:
    targets = next((tmp / "runs").glob("*/*/config/host-targets.json"))
    return int(json.loads(targets.read_text())["services"][service])


@pytest.mark.sabotage
@pytest.mark.parametrize("fix", ["deletes_counter", "drops_only_user_id"])
def test_a_fix_that_only_looks_like_one_fails(fix: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--fix", str(SABOTAGE / "cardinality" / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    expected = {"deletes_counter": "queries still counted", "drops_only_user_id": "head series flat"}[fix]
    assert ran.check(expected)["result"] in ("fail", "inconclusive")
    assert ran.failed()


@pytest.mark.sabotage
def test_without_rules_nothing_is_detected(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.failed()) == (1, ["seen before it hurts"]), ran.told[-3000:]
    assert ALERT not in {n["alert"] for n in ran.outcome["notifications"]}


def test_a_rule_that_always_fires_detects_nothing(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--detect", str(SABOTAGE / "always_fires.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "nobody notified" in ran.failed()


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, "cardinality", "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []
