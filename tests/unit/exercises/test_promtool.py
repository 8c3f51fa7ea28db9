"""When alerts fire, as promtool says: what it prints is read right, and rules it refuses are a failed point."""

from __future__ import annotations

import pytest

from lab.exercises import hard, medium
from lab.exercises.answers import AnswerError
from lab.exercises.catalog import folder
from lab.exercises.points import Point
from lab.exercises.promtool import NO_JOB, PromtoolMissingError, firing, parsed
from lab.scenario import Result

RULES = """
groups:
  - name: g
    rules:
      - alert: High
        expr: LEFT > 5
        for: 1m
"""
SAID = """Unit Testing:  test.yml
  FAILED:
    expr: "count by (job) (ALERTS{alertstate=\\"firing\\"})", time: 1h3m,
        exp: nil
        got: {job="a"} 1E+00, {job="b"} 2E+00
    expr: "count by (job) (ALERTS{alertstate=\\"firing\\"})", time: 7d1h,
        exp:nil
        got:{} 1E+00
"""


def failed(points: list[Point]) -> set[str]:
    return {point.name for point in points if point.result is Result.FAIL}


def test_what_promtool_prints_is_read() -> None:
    assert parsed(SAID) == {"a": [63], "b": [63], NO_JOB: [7 * 1440 + 60]}


def rising(name: str) -> list[float]:
    return [0.0] * 20 + [9.0] * 21 if name == "high" else [0.0] * 41  # at 5 minutes


@pytest.mark.usefixtures("tool")
def test_firing_minutes_by_job() -> None:
    series = {f'x{{job="{name}"}}': rising(name) for name in ("high", "low")}
    assert firing(RULES.replace("LEFT", "x"), series, 15, range(11)) == {"high": [6, 7, 8, 9, 10]}
    assert firing(RULES.replace("LEFT", "sum(x)"), series, 15, range(11)) == {NO_JOB: [6, 7, 8, 9, 10]}
    assert firing(RULES.replace("LEFT", "-x"), series, 15, range(11)) == {}


@pytest.mark.usefixtures("tool")
@pytest.mark.parametrize("rules", [RULES.replace("LEFT", "sum(("), "groups: 5", "groups:\n  - nme: g\n"])
def test_rules_that_promtool_refuses_are_told_on_one_line(rules: str) -> None:
    with pytest.raises(AnswerError, match=r"rules\.yml: .*promtool check rules") as refused:
        firing(rules, {}, 15, [1])
    assert "\n" not in str(refused.value)
    assert failed(medium.judge_rules(rules)) == {"alert: rules"}
    assert failed(hard.judge_rules(rules)) == {"rules: run"}


@pytest.mark.usefixtures("tool")
@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("for: 5m", "for: 5m", set()),
        ("        for: 5m\n", "", {"alert: waits for 5 minutes", "alert: silent otherwise"}),
        ("for: 5m", "for: 30m", {"alert: fires below 0.7"}),
        ("< 0.7", "< 0.75", {"alert: silent otherwise"}),
        ("< 0.7", "< 0.5", {"alert: fires below 0.7", "alert: waits for 5 minutes"}),
        ("sum by (job)", "sum", {"alert: fires below 0.7", "alert: waits for 5 minutes"}),
        ("[5m]", "[1h]", {"alert: fires below 0.7"}),
        ("[5m]", "[15m]", set()),
        ("[5m]", "[2m]", set()),
        ("for: 5m", "for: 4m", {"alert: silent otherwise"}),
    ],
    ids=[
        "as it is",
        "no for",
        "for half an hour",
        "0.75",
        "0.5",
        "all together",
        "an hour's window",
        "a late one",
        "a short one",
        "for four minutes",
    ],
)
def test_the_alert_of_the_quality(old: str, new: str, names: set[str]) -> None:
    rules = (folder() / "medium" / "reference" / "rules.yml").read_text(encoding="utf-8")
    assert old in rules
    assert failed(medium.judge_rules(rules.replace(old, new))) == names


@pytest.mark.usefixtures("tool")
@pytest.mark.parametrize("window", ["10m", "12m", "15m", "20m", "25m"])
def test_a_long_window_in_place_of_for_is_no_waiting(window: str) -> None:
    rules = (folder() / "medium" / "reference" / "rules.yml").read_text(encoding="utf-8")
    slow = rules.replace("[5m]", f"[{window}]").replace("        for: 5m\n", "")
    assert "for:" not in slow
    assert failed(medium.judge_rules(slow)) == {"alert: silent otherwise"}


@pytest.mark.usefixtures("tool")
def test_the_wrong_alert_and_the_starter_s_never_fire() -> None:
    for answer in ("wrong", "starter"):
        rules = (folder() / "medium" / answer / "rules.yml").read_text(encoding="utf-8")
        points = medium.judge_rules(rules)
        assert failed(points) == {"alert: fires below 0.7", "alert: waits for 5 minutes"}
        assert points[-1].result is Result.SKIPPED
        assert all(point.hint for point in points if point.result is Result.FAIL)


def test_without_promtool_the_rules_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise PromtoolMissingError("no promtool: lab install")

    monkeypatch.setattr("lab.exercises.promtool.promtool", missing)
    (point,) = hard.judge_rules(RULES)
    assert point.result is Result.SKIPPED
    assert "lab install" in point.observed
