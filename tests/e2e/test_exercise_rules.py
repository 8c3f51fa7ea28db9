"""Adaptive thresholds as rules of Prometheus, on the same ten weeks as the detector in numpy."""

from __future__ import annotations

import pytest

from lab.exercises import anomaly_rules, catalog, hard
from lab.exercises.detection import SEEDS
from lab.exercises.scoring import together
from lab.scenario import Result

# Promtool needs a minute for ten weeks.
pytestmark = [pytest.mark.e2e, pytest.mark.whole, pytest.mark.usefixtures("tool")]

HARD = catalog.folder() / "hard"


def rules(answer: str) -> str:
    return (HARD / answer / "rules.yml").read_text(encoding="utf-8")


def test_the_rules_keep_the_promise_on_ten_seeds() -> None:
    scores = anomaly_rules.scores(rules("reference"), SEEDS)
    assert len(scores) == 10
    for one in scores:
        assert one.normal > 1200
        assert one.false_share < 0.1
        assert one.false_alarm_share < 0.1
        assert all(delay is not None and delay <= 180 for delay in one.delays_s)
    assert together(scores).found == 60


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("        for: 1m\n", "", {"rules: false alarms"}),
        ("        for: 1m\n", "        for: 5m\n", {"rules: anomalies"}),
    ],
    ids=["one check", "for five minutes"],
)
def test_worse_rules_fail_where_they_are_worse(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str, names: set[str]
) -> None:
    monkeypatch.setattr(anomaly_rules, "SEEDS", (1, 2, 3))
    assert old in rules("reference")
    points = anomaly_rules.judge(rules("reference").replace(old, new))
    assert names <= {point.name for point in points if point.result is Result.FAIL}


@pytest.mark.parametrize("answer", ["wrong", "starter"])
def test_the_wrong_rules_find_nothing(answer: str) -> None:
    points = hard.judge_rules(rules(answer))
    assert {point.name for point in points if point.result is Result.FAIL} == {
        "rules: anomalies",
        "rules: false alarms",
    }
