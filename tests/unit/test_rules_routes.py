"""Where each alert goes, asked of amtool; and that amtool, asked so, notices a configuration that is wrong."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.install import BinaryError, find
from lab.timescale import Duration, compress_alertmanager_config

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "compose" / "alertmanager" / "alertmanager.yml"
FOLDERS = (
    "compose/prometheus/rules",
    "compose/prometheus/observer-rules",
    "scenarios/cardinality",
    "scenarios/slow_queries",
)

RECEIVERS = {
    "HighErrorRate": "slack,console",
    "LowCacheHitRate": "console",
    "HighLatencyP95": "slack,console",
    "CostSpike": "slack,email,console",
    "RateLimitClose": "console",
    "ResponseQualityLow": "console",
    "TargetDown": "slack,console",
    "PrometheusDiskFilling": "console",
    "PrometheusQueriesSlow": "console",
    "NotificationStorm": "console",
    "MetricCardinalityExplosion": "console",
    "Watchdog": "heartbeat",
}
"""Who hears of an alert, in the order of the routes."""


@functools.cache
def amtool() -> str:
    try:
        return str(find("amtool").path)
    except BinaryError as error:
        pytest.skip(str(error))


def run_amtool(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [amtool(), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def routed(config: Path, labels: dict[str, str], receivers: str) -> tuple[int, str]:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return run_amtool("config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receivers}", *pairs)


@functools.cache
def rules() -> dict[str, dict[str, Any]]:
    files = [p for f in FOLDERS for p in (ROOT / f).glob("detect.rules.yml" if f.startswith("scenarios") else "*.yml")]
    groups = [g for p in files for g in yaml.safe_load(p.read_text(encoding="utf-8"))["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def labels_of(alert: str) -> dict[str, str]:
    return {"alertname": alert, "job": "rag", **rules()[alert]["labels"]}


def test_the_configuration_is_valid():
    code, said = run_amtool("check-config", CONFIG)
    assert code == 0, said


def test_the_compressed_configuration_is_valid(tmp_path: Path):
    path = tmp_path / "alertmanager.yml"
    path.write_text(compress_alertmanager_config(CONFIG.read_text(encoding="utf-8"), 15), encoding="utf-8")
    code, said = run_amtool("check-config", path)
    assert code == 0, said


@pytest.mark.parametrize("alert", sorted(RECEIVERS))
def test_each_alert_reaches_its_receivers(alert: str):
    code, said = routed(CONFIG, labels_of(alert), RECEIVERS[alert])
    assert code == 0, said


def test_every_alert_of_these_rules_has_an_expectation():
    assert set(rules()) == set(RECEIVERS)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"alertname": "Anything"}, "console"),
        ({"alertname": "Other", "channels": "console, slackers"}, "console"),
        ({"alertname": "Other", "channels": "slack"}, "slack,console"),
        ({"alertname": "Other", "channels": "email, slack"}, "slack,email,console"),
    ],
)
def test_an_alert_of_somebody_else_is_routed_by_its_channels(labels: dict[str, str], receivers: str):
    code, said = routed(CONFIG, labels, receivers)
    assert code == 0, said


@pytest.mark.parametrize("alert", sorted(RECEIVERS))
def test_other_receivers_are_noticed(alert: str):
    code, said = routed(CONFIG, labels_of(alert), "console,pager")
    assert code != 0
    assert "unexpected receivers" in said.lower() or "expected receivers" in said.lower(), said


@pytest.mark.parametrize(
    ("old", "new", "alert"),
    [
        ("      continue: true\n    - matchers: [channels", "    - matchers: [channels", "CostSpike"),
        ("      continue: true\n    - receiver: console", "    - receiver: console", "CostSpike"),
        ("\\\\bslack\\\\b", "\\\\bchat\\\\b", "HighErrorRate"),
        ("\\\\bslack\\\\b", "\\\\bconsole\\\\b", "RateLimitClose"),
        ('alertname = "Watchdog"', 'alertname = "DeadMansSwitch"', "Watchdog"),
    ],
)
def test_a_changed_route_is_noticed(old: str, new: str, alert: str, tmp_path: Path):
    text = CONFIG.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    code, said = run_amtool("check-config", broken)
    assert code == 0, said
    code, said = routed(broken, labels_of(alert), RECEIVERS[alert])
    assert code != 0, said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("receiver: email", "receiver: letters"),
        ("group_wait: 15s", "group_wait: soon"),
        ("smarthost: mail:2525", "smarthost: mail"),
        ("equal: [job]", "equals: [job]"),
        ("alertname !~ \"CostSpike|TargetDown\"", "alertname <> CostSpike"),
    ],
)  # fmt: skip
def test_an_invalid_configuration_is_noticed(old: str, new: str, tmp_path: Path):
    text = CONFIG.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    code, said = run_amtool("check-config", broken)
    assert code != 0, said


def config() -> dict[str, Any]:
    found = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_every_channel_hears_that_an_alert_is_over():
    for receiver in config()["receivers"]:
        integrations = [each for kind, found in receiver.items() if kind != "name" for each in found]
        assert integrations
        assert all(each["send_resolved"] is (receiver["name"] != "heartbeat") for each in integrations)


@pytest.mark.parametrize("path", [CONFIG, ROOT / "scenarios" / "alert_storm" / "fixed" / "alertmanager.yml"])
def test_a_target_that_is_down_mutes_its_own_instance_alone(path: Path):
    """One replica, or the server whose disk is full, must not silence what is about others."""
    by_target, by_severity = yaml.safe_load(path.read_text(encoding="utf-8"))["inhibit_rules"]
    assert (by_target["source_matchers"][0], by_target["equal"]) == ('alertname = "TargetDown"', ["job", "instance"])
    assert 'alertname !~ "CostSpike|TargetDown"' in by_severity["source_matchers"]
    assert 'alertname != "RateLimitClose"' in by_severity["target_matchers"]


def test_the_heart_beats_at_every_flush():
    """A beat is left out while the last one is not yet as old as the interval."""
    (beat,) = (route for route in config()["route"]["routes"] if route["receiver"] == "heartbeat")
    assert Duration.parse(beat["repeat_interval"]).seconds < Duration.parse(beat["group_interval"]).seconds


def test_the_storm_alert_does_not_count_its_own_notifications():
    counted = rules()["NotificationStorm"]["expr"].partition('integration=~"')[2].partition('"')[0].split("|")
    assert counted == ["slack", "email"]
    told = [r for r in config()["receivers"] if r["name"] in RECEIVERS["NotificationStorm"].split(",")]
    kinds = {kind.removesuffix("_configs") for receiver in told for kind in receiver if kind != "name"}
    assert kinds
    assert not kinds & set(counted)


def test_what_the_pipeline_budget_is_measured_with_stays():
    root = config()["route"]
    assert (root["group_wait"], root["group_interval"]) == ("15s", "1m")
    assert not any("group_wait" in route for route in root["routes"] if route["receiver"] != "heartbeat")
