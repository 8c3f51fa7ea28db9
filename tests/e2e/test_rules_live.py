"""Each alert of the service fires when its switch is turned, and nothing else does; healthy traffic is silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rules_live import HEALTHY_JOB, SWITCHES, Seen, play
from rules_stack import services

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

MISSED = ("host", "TargetDown")
"""The host exporter is never started in this session."""
STORM = ("alertmanager", "NotificationStorm")
"""Four incidents at once and their ends are seven messages in ten simulated minutes: it may fire, and rightly."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with pytest.MonkeyPatch.context() as patch, services(tmp_path_factory.mktemp("live"), patch) as stack:
        yield play(stack)


@pytest.mark.parametrize(("job", "alert"), [(job, alert) for job, (alert, _) in SWITCHES.items()])
def test_it_fires_when_its_switch_is_turned_and_ends_when_it_is_turned_back(job: str, alert: str, seen: Seen):
    assert seen.told((job, alert)) == ["firing", "resolved"]


def test_start_up_is_silent(seen: Seen):
    assert seen.at_start <= {MISSED}


def test_nothing_else_fires_at_either_prometheus(seen: Seen):
    """Neither on the healthy service, which is redeployed meanwhile, nor on the others."""
    assert seen.raised - {STORM} == {MISSED, *((job, alert) for job, (alert, _) in SWITCHES.items())}
    assert HEALTHY_JOB not in {job for job, _ in seen.raised}


def test_the_console_hears_of_nothing_else(seen: Seen):
    told = {(n["labels"].get("job"), n["alert"]) for n in seen.console}
    assert told - {STORM} == seen.raised - {STORM}


def test_a_target_that_is_away_is_told(seen: Seen):
    assert seen.told(MISSED)[0] == "firing"


def test_slack_hears_of_its_alerts_by_name(seen: Seen):
    on_slack = {(n["alert"], n["status"]) for n in seen.slack}
    ours = {
        (alert, status)
        for alert in ("HighErrorRate", "HighLatencyP95", "CostSpike")
        for status in ("firing", "resolved")
    }
    assert on_slack == ours | {("TargetDown", "firing")}


def test_the_notification_says_what_it_is_about(seen: Seen):
    for notification in seen.console:
        assert notification["annotations"]["summary"]
        assert notification["annotations"]["runbook_url"].endswith(f"/{notification['alert']}.md")
