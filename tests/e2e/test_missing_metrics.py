"""Missing metrics on real servers: each variant is seen and cured; and the check can fail."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, Ran, run_lab

pytestmark = pytest.mark.e2e
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage"
SCENARIO = Path(__file__).resolve().parent.parent.parent / "scenarios" / "missing_metrics"
NAME, METRIC = "missing_metrics", "rag_queries_total"
DOWN, MISSING = "TargetDown", "QueriesNotCounted"
SAYS = {
    "server_not_started": "connect: connection refused",
    "endpoint_500": "server returned HTTP status 500 Internal Server Error",
    "endpoint_hangs": "context deadline exceeded",
    "wrong_content_type": ("is not a valid start token", "received unsupported Content-Type"),
}


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run, of the quiet variant."""
    return run_lab(tmp_path_factory.mktemp("pass"), f"{NAME}:metric_renamed")


def test_it_passes(passed: Ran) -> None:
    assert (passed.code, passed.outcome["verdict"]) == (0, "pass"), passed.told[-3000:]


def test_the_outcome_says_which_variant(passed: Ran) -> None:
    assert (passed.outcome["scenario"], passed.outcome["variant"]) == (NAME, "metric_renamed")


def test_nothing_but_the_alert_says_that_it_is_gone(passed: Ran) -> None:
    quiet = passed.check("rag quietly up")
    assert quiet["observed"] == f"up == 1, no scrape error, {METRIC}: no samples"
    assert passed.outcome["alerts"]["raised"] == [MISSING]
    told = [(n["alert"], n["status"]) for n in passed.outcome["notifications"] if n["route"] == "console"]
    assert told == [(MISSING, "firing"), (MISSING, "resolved")]


def test_the_gap_is_told(passed: Ran) -> None:
    told = passed.check(f"{METRIC} back")["observed"].split()
    gap, outage = float(told[2]), float(told[-2])
    broken = next(p for p in passed.outcome["phases"] if p["name"] == "broken")
    assert broken["duration_s"] < outage < broken["duration_s"] + 5
    # From the last sample before it to the first one after it: up to a scrape more at either end.
    assert -1 < gap - outage < 3


def test_the_signal_is_read_back_from_the_patient(passed: Ran) -> None:
    assert 0 <= passed.outcome["signal_delay_s"] < passed.outcome["time_to_detect_s"]


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


def test_a_constant_is_no_fix(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, f"{NAME}:instrumentation_removed", "--fix", str(SABOTAGE / NAME / "constant"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert ran.failed() == ["queries still counted"]
    assert ran.check("queries still counted")["observed"].startswith("0/s counted")
    assert ran.check(f"{MISSING} resolved")["result"] == "pass"


@pytest.mark.sabotage
@pytest.mark.parametrize("variant", SAYS)
def test_a_target_that_is_down_says_why(variant: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, f"{NAME}:{variant}")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    texts = SAYS[variant] if isinstance(SAYS[variant], tuple) else (SAYS[variant],)
    assert any(text in ran.check("scrapes of rag fail")["observed"] for text in texts)
    assert any(text in line for text in texts for line in ran.outcome["evidence"])
    assert ran.outcome["alerts"]["raised"] == [DOWN]


@pytest.mark.sabotage
def test_a_removed_counter_is_seen(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, f"{NAME}:instrumentation_removed")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]


@pytest.mark.sabotage
@pytest.mark.parametrize(
    ("fix", "seen"),
    [("frozen", {"queries still counted", "only declared alerts"}), ("clock", {"queries still counted"})],
)
def test_a_counter_that_counts_something_else_is_no_fix(fix: str, seen: set[str], tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--fix", str(SABOTAGE / NAME / fix))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    # Rules see a frozen page too, now and then before the check has its figures: one against a counter that does not
    # count, and one against memory that grows without any traffic (tests/recorded/missing_metrics/frozen.jsonl).
    assert seen & set(ran.failed()), ran.told[-3000:]


@pytest.mark.sabotage
@pytest.mark.parametrize("variant", ["server_not_started", "metric_renamed"])
def test_a_fix_that_changes_nothing_fails(variant: str, tmp_path: Path) -> None:
    folder = SCENARIO / "broken" if variant == "server_not_started" else SCENARIO / "variants" / variant / "broken"
    ran = run_lab(tmp_path, f"{NAME}:{variant}", "--fix", str(folder))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert f"{METRIC} back" in ran.failed()


@pytest.mark.sabotage
@pytest.mark.parametrize(("variant", "alert"), [("server_not_started", DOWN), ("metric_renamed", MISSING)])
def test_without_rules_nothing_is_detected(variant: str, alert: str, tmp_path: Path) -> None:
    ran = run_lab(tmp_path, f"{NAME}:{variant}", "--detect", str(SABOTAGE / "no_rules.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert f"{alert} delivered" in ran.failed()


@pytest.mark.quick
def test_a_rule_that_always_fires_detects_nothing(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--detect", str(SABOTAGE / "always_fires.yml"))
    assert (ran.code, ran.outcome["verdict"]) == (1, "fail"), ran.told[-3000:]
    assert "nobody notified" in ran.failed()


@pytest.mark.sabotage
def test_without_users_nothing_is_proven(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--users", "0", tries=1)
    assert (ran.code, ran.outcome["verdict"]) == (3, "inconclusive"), ran.told[-3000:]
    assert ran.outcome["reason"] == "traffic flowed: no requests"


@pytest.mark.sabotage
def test_the_control_run_is_silent(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, NAME, "--control")
    assert (ran.code, ran.outcome["verdict"]) == (0, "pass"), ran.told[-3000:]
    assert ran.outcome["notifications"] == []


@pytest.mark.whole
def test_an_audience_gets_three_stops_and_the_same_verdict(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, f"{NAME}:metric_renamed", "--stage", "--auto", "1")
    assert ran.code == 0, ran.told[-3000:]
    assert ran.told.count("[1 s] goes on; meanwhile") == 3
    assert ran.told.index("B R O K E N") < ran.told.index("F I X E D") < ran.told.rindex("P A S S")
