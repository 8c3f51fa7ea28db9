"""A real Alertmanager with the configuration that is shipped: channels, resolve messages, grouping, inhibition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rules_stack import Mailbox, Services, mailbox, services
from waiting import until

from lab.paths import compose_dir

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

SPEED = 60.0
DEADLINE_S = 60.0
Labels = dict[str, str]

HERE, THERE = {"instance": "rag:8001"}, {"instance": "rag-2:8001"}
DOWN = {"alertname": "TargetDown", "severity": "critical", **HERE}
UNCOUNTED = {"alertname": "QueriesNotCounted", "severity": "critical"}
ERRORS = {"alertname": "HighErrorRate", "severity": "critical"}
SLOW = {"alertname": "HighLatencyP95", "severity": "warning"}
QUOTA = {"alertname": "RateLimitClose", "severity": "warning"}
COSTS = {"alertname": "CostSpike", "severity": "critical"}
DISK = {"alertname": "PrometheusDiskFilling", "severity": "warning"}
SERIES = {"alertname": "AnyCriticalRule", "severity": "critical"}

# cause, consequence, whether the one mutes the other; each case gets a job of its own.
CASES = {
    "errors-slow": (ERRORS, SLOW, True),
    "errors-quota": (ERRORS, QUOTA, False),
    "costs-slow": (COSTS, SLOW, False),
    "slow-quota": (SLOW, QUOTA, False),
    "errors-costs": (ERRORS, COSTS, False),
    "series-disk": (SERIES, DISK, True),
    "down-uncounted": (DOWN, {**UNCOUNTED, **HERE}, True),
    "down-warning": (DOWN, {**SLOW, **HERE}, True),
    # Another replica, all of them, and what is measured elsewhere: none of it is blind.
    "down-uncounted-there": (DOWN, {**UNCOUNTED, **THERE}, False),
    "down-warning-there": (DOWN, {**SLOW, **THERE}, False),
    "down-slow": (DOWN, SLOW, False),
    "down-errors": (DOWN, ERRORS, False),
    "down-quota": (DOWN, QUOTA, False),
    "down-disk": (DOWN, {**DISK, "instance": "host:9100"}, False),
}


def post(stack: Services, *alerts: Labels, over: bool = False) -> None:
    """Send alerts as Prometheus does."""
    end = datetime.now(UTC) + timedelta(seconds=-1 if over else 300)
    body = [
        {"labels": labels, "annotations": {"summary": "Something is wrong."}, "endsAt": end.isoformat()}
        for labels in alerts
    ]
    url = f"http://{stack.address('alertmanager')}/api/v2/alerts"
    httpx.post(url, json=body, trust_env=False).raise_for_status()


def told(stack: Services, job: str, route: str) -> list[tuple[str, str]]:
    """(alert, status) of what arrived on a route about a job; Slack messages end their title with it."""
    return [
        (n["alert"], n["status"])
        for n in stack.notifications()
        if n["route"] == route and (n["labels"].get("job") == job or n["text"].partition("\n")[0].endswith(f" {job}"))
    ]


@pytest.fixture(scope="module")
def mail() -> Iterator[Mailbox]:
    with mailbox() as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, mail: Mailbox) -> Iterator[Services]:
    with pytest.MonkeyPatch.context() as patch, services(tmp_path_factory.mktemp("delivery"), patch) as found:
        found.start(found.receiver(), found.alertmanager(SPEED, {"mail:2525": mail.address}))
        yield found


def test_three_channels_hear_of_a_cost_spike_and_that_it_is_over(stack: Services, mail: Mailbox):
    spike = {**COSTS, "job": "shop", "channels": "console, slack, email"}
    post(stack, spike)
    until(lambda: told(stack, "shop", "console"), DEADLINE_S, "the console is told")
    until(lambda: told(stack, "shop", "alerts"), DEADLINE_S, "Slack is told")
    until(lambda: mail.subjects(), DEADLINE_S, "a mail arrives")
    post(stack, spike, over=True)
    both = [("CostSpike", "firing"), ("CostSpike", "resolved")]
    until(lambda: told(stack, "shop", "console") == both, DEADLINE_S, "the console is told the end")
    until(lambda: told(stack, "shop", "alerts") == both, DEADLINE_S, "Slack is told the end")
    until(lambda: len(mail.mails) == 2, DEADLINE_S, "a second mail arrives")
    firing, resolved = mail.subjects()
    assert re.match(r"\[FIRING:1\] CostSpike", firing)
    assert re.match(r"\[RESOLVED\] CostSpike", resolved)
    assert mail.mails[0]["To"] == "oncall@example.org"


def test_alerts_of_one_name_are_one_message(stack: Services):
    post(stack, *({**DOWN, "job": "fleet", "channels": "slack", "instance": f"{n}:1"} for n in range(3)))
    until(lambda: len(told(stack, "fleet", "console")) == 3, DEADLINE_S, "the console is told of all three")
    until(lambda: told(stack, "fleet", "alerts"), DEADLINE_S, "Slack is told")
    assert told(stack, "fleet", "alerts") == [("TargetDown", "firing")]
    (text,) = (n["text"] for n in stack.notifications() if n["route"] == "alerts" and "fleet" in n["text"])
    assert text.startswith("[FIRING:3] TargetDown fleet\n")


def test_the_heartbeat_is_no_notification(stack: Services):
    began = datetime.now(UTC).timestamp()
    post(stack, {"alertname": "Watchdog", "severity": "none"})
    url = f"http://{stack.address('receiver')}/notifications"
    until(lambda: httpx.get(url, trust_env=False).json()["heartbeat_at"] > began, DEADLINE_S, "the heart beats")
    assert not [n for n in stack.notifications() if n["alert"] == "Watchdog"]


def muted(stack: Services, prefix: str) -> dict[str, bool]:
    """Case by case: whether Alertmanager mutes the consequence. Waits until it has looked at all of them."""

    def judged() -> list[dict[str, Any]]:
        url = f"http://{stack.address('alertmanager')}/api/v2/alerts"
        found = [a for a in httpx.get(url, trust_env=False).json() if a["labels"].get("job", "").startswith(prefix)]
        done = len(found) == 2 * len(CASES) and all(a["status"]["state"] != "unprocessed" for a in found)
        return found if done else []

    until(judged, DEADLINE_S, "Alertmanager has looked at every alert")
    by_alert = {(a["labels"]["job"], a["labels"]["alertname"]): bool(a["status"]["inhibitedBy"]) for a in judged()}
    return {case: by_alert[prefix + case, consequence["alertname"]] for case, (_, consequence, _) in CASES.items()}


def post_cases(stack: Services, prefix: str) -> None:
    for case, (cause, _, _) in CASES.items():
        post(stack, {**cause, "job": prefix + case})
    for case, (_, consequence, _) in CASES.items():
        post(stack, {**consequence, "job": prefix + case})


def test_consequences_are_muted_while_their_cause_is_told(stack: Services):
    prefix = "inhibit-"
    post_cases(stack, prefix)
    assert muted(stack, prefix) == {case: expected for case, (_, _, expected) in CASES.items()}

    def delivered() -> set[tuple[str, str]]:
        about = [n for n in stack.notifications() if n["labels"].get("job", "").startswith(prefix)]
        return {(n["labels"]["job"], n["alert"]) for n in about}

    expected = {(prefix + case, cause["alertname"]) for case, (cause, _, _) in CASES.items()}
    expected |= {(prefix + case, other["alertname"]) for case, (_, other, mute) in CASES.items() if not mute}
    until(lambda: delivered() >= expected, DEADLINE_S, "what is not muted arrives")
    assert delivered() == expected


def told_of_case(stack: Services, case: str) -> set[str]:
    return {n["alert"] for n in stack.notifications() if n["labels"].get("case") == case}


def test_an_alert_without_a_job_mutes_nothing(stack: Services):
    post(stack, {**ERRORS, "case": "no-job"})
    post(stack, {**SLOW, "case": "no-job"})
    until(lambda: told_of_case(stack, "no-job") >= {"HighErrorRate", "HighLatencyP95"}, DEADLINE_S, "both arrive")


def test_without_its_rules_nothing_is_muted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = yaml.safe_load((compose_dir() / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    del config["inhibit_rules"]
    with services(tmp_path, monkeypatch) as other:
        other.start(other.receiver(), other.alertmanager(SPEED, {}, yaml.safe_dump(config)))
        post_cases(other, "inhibit-")
        assert not any(muted(other, "inhibit-").values())
