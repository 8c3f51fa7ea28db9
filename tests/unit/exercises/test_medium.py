"""The quality score: the reference meets every point, and each point has been seen to fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lab.exercises import medium
from lab.exercises.catalog import folder
from lab.exercises.conversations import Kind, conversations
from lab.exercises.points import Point
from lab.scenario import Result

MEDIUM = folder() / "medium"
BAD = {f"quality: answers {kind}" for kind in Kind}


def failed(points: list[Point]) -> set[str]:
    return {point.name for point in points if point.result is Result.FAIL}


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (MEDIUM / "reference" / "quality.py").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "quality.py").write_text(text.replace(old, new), encoding="utf-8")
    return tmp_path / "quality.py"


def test_the_reference_passes_on_more_than_a_hundred_queries() -> None:
    assert Counter(one.kind for one in conversations()) == dict.fromkeys(Kind, 100)
    points = medium.judge_score(MEDIUM / "reference" / "quality.py")
    assert failed(points) == set()
    assert len(points) == 7


def test_the_plausible_wrong_answer_fails_where_it_is_wrong() -> None:
    assert failed(medium.judge_score(MEDIUM / "wrong" / "quality.py")) == {
        f"quality: answers {Kind.SUPPORTED}",
        f"quality: answers {Kind.PARROT}",
        "trend: falling day",
        "trend: steady day",
    }


def test_the_starter_is_told_to_run_first() -> None:
    (point,) = medium.judge_score(MEDIUM / "starter" / "quality.py")
    assert point.result is Result.FAIL
    assert "quality.py:6: NotImplementedError" in point.observed


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("said, known = _sentences(answer), _sentences(context)", "said, known = [answer], [context]",
         {f"quality: answers {Kind.SUPPORTED}"}),
        (".max(axis=1), 0, 1).mean()", ".max(axis=1), 0, 1).max()", {f"quality: answers {Kind.HALF}"}),
        ("known = _sentences(answer), _sentences(context)", "known = _sentences(answer), _sentences(answer)",
         BAD - {f"quality: answers {Kind.SUPPORTED}"}),
        ("0, 1).mean())", "0, 1).mean()) - 0.5", {"quality: a score", f"quality: answers {Kind.SUPPORTED}"}),
        ("86_400", "3_600", {"trend: falling day"}),
        ("return float(slope)", "return 0.0", {"trend: falling day"}),
        ("return float(slope)", "return -0.15", {"trend: steady day"}),
        ("return float(slope)", "return float('nan')", {"trend: falling day", "trend: steady day"}),
    ],
    ids=["as a whole", "best sentence", "with itself", "negative", "an hour", "none", "always", "nan"],
)  # fmt: skip
def test_a_worse_answer_fails_where_it_is_worse(tmp_path: Path, old: str, new: str, names: set[str]) -> None:
    assert failed(medium.judge_score(changed(tmp_path, old, new))) == names


def test_every_failed_point_has_a_hint_on_one_line() -> None:
    for answer in ("wrong", "starter"):
        for point in medium.judge_score(MEDIUM / answer / "quality.py"):
            assert bool(point.hint) == (point.result is Result.FAIL)
            assert "\n" not in point.hint


def test_a_missing_promtool_leaves_the_alert_unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise medium.PromtoolMissingError("promtool is not installed: lab install")

    monkeypatch.setattr(medium, "firing", missing)
    points = medium.judge_rules("groups: []")
    assert {point.result for point in points} == {Result.SKIPPED}
    assert "lab install" in points[0].observed


@pytest.mark.parametrize(
    ("fired", "names"),
    [
        ({"falls": [68, 69]}, set()),
        ({}, {"alert: fires below 0.7", "alert: waits for 5 minutes"}),
        ({"falls": [63]}, {"alert: waits for 5 minutes"}),
        ({"falls": [64]}, {"alert: waits for 5 minutes"}),
        ({"falls": [76]}, {"alert: fires below 0.7"}),
        ({"falls": [68], "dips": [66]}, {"alert: silent otherwise"}),
        ({"": [68]}, {"alert: fires below 0.7", "alert: waits for 5 minutes", "alert: silent otherwise"}),
    ],
)
def test_what_the_alert_must_do(monkeypatch: pytest.MonkeyPatch, fired: dict[str, list[int]], names: set[str]) -> None:
    monkeypatch.setattr(medium, "firing", lambda *_: fired)
    points = medium.judge_rules("groups: []")
    assert failed(points) == names
    if "" in fired:
        assert all("by (job)" in p.hint for p in points if p.name != "alert: waits for 5 minutes")


@pytest.mark.parametrize(
    ("fired", "result"),
    [
        ({}, Result.SKIPPED),
        ({"falls": [68]}, Result.PASS),
        ({"flaps": [72]}, Result.FAIL),
        ({"falls": [68], "drops": [65]}, Result.FAIL),
    ],
    ids=["never", "once", "only where it must not", "where it must not"],
)
def test_silence_counts_only_of_an_alert_that_can_fire(
    monkeypatch: pytest.MonkeyPatch, fired: dict[str, list[int]], result: Result
) -> None:
    monkeypatch.setattr(medium, "firing", lambda *_: fired)
    assert medium.judge_rules("groups: []")[-1].result is result


def test_services_that_recover_are_never_bad_for_five_minutes() -> None:
    for job in ("dips", "flaps", "drops"):
        begins, bad = 0.0, []
        for until, mean, _ in medium.SERVICES[job]:
            if mean < medium.GOOD:
                bad.append(until - begins)
            begins = until
        assert bad
        assert max(bad) <= 4
        assert begins >= medium.MINUTES


def test_the_series_are_what_the_task_says() -> None:
    series = medium.quality_series()
    for job, mean in {"fine": 0.85, "close": 0.72}.items():
        (sums,) = [v for name, v in series.items() if f'"{job}"' in name and "_sum" in name]
        (counts,) = [v for name, v in series.items() if f'"{job}"' in name and "_count" in name]
        assert sums[-1] / counts[-1] == pytest.approx(mean)
        assert len(sums) == len(counts) == 401
