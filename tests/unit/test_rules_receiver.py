"""What the receiver makes of a Slack message."""

from __future__ import annotations

import pytest

from lab.services.receiver import from_slack


@pytest.mark.parametrize(
    ("title", "alert", "status"),
    [
        ("[FIRING:2] HighErrorRate rag", "HighErrorRate", "firing"),
        ("[RESOLVED] HighErrorRate rag", "HighErrorRate", "resolved"),
        ("[firing:1] CostSpike", "CostSpike", "firing"),
        ("[FIRING:1] Resolved_Too_Late (rag critical)", "Resolved_Too_Late", "firing"),
        ("Something else", "Something else", "firing"),
        ("", "", "firing"),
    ],
)
def test_the_title_says_alert_and_status(title: str, alert: str, status: str):
    body = {"channel": "#alerts", "attachments": [{"title": title, "text": "5 % of queries fail."}]}
    (found,) = from_slack(body, "alerts", 12.5)
    assert (found.alert, found.status, found.route, found.format, found.at) == (alert, status, "alerts", "slack", 12.5)
    assert "5 % of queries fail." in found.text


def test_a_message_may_be_its_text_alone():
    (found,) = from_slack({"text": "[RESOLVED] CostSpike is over"}, "alerts", 0.0)
    assert (found.alert, found.status) == ("CostSpike", "resolved")


def test_a_firing_alert_that_mentions_resolved_in_its_text_is_firing():
    body = {"attachments": [{"title": "[FIRING:1] X", "text": "The last one was resolved."}]}
    assert from_slack(body, "alerts", 0.0)[0].status == "firing"


def test_title_of_alertmanagers_own_template():
    body = {"attachments": [{"title": "[FIRING:1] TargetDown rag (rag:8001 critical)", "fallback": "x"}]}
    assert from_slack(body, "alerts", 0.0)[0].alert == "TargetDown"
