"""Adaptive thresholds: the reference meets every point on ten seeds, and each point has been seen to fail."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from waiting import until

from lab.errors import UsageError
from lab.exercises import hard, notifications
from lab.exercises.catalog import folder
from lab.exercises.detection import SEEDS, readings
from lab.exercises.points import Point
from lab.exercises.scoring import score, score_fixed, together
from lab.exercises.traffic import Injected, play
from lab.scenario import Result

HARD = folder() / "hard"
NOON = {"false positives", "false alarms", "band holds what is normal", "band follows the day"}


def failed(points: list[Point]) -> set[str]:
    return {point.name for point in points if point.result is Result.FAIL}


def changed(tmp_path: Path, file: str, *changes: tuple[str, str]) -> Path:
    answer = tmp_path / "answer"
    shutil.copytree(HARD / "reference", answer)
    text = (answer / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (answer / file).write_text(text, encoding="utf-8")
    return answer


def of_detector(path: Path, seeds: Sequence[int] = (1, 2, 3)) -> list[Point]:
    return hard.judge_detector(path / "detector.py", seeds)


def of_notification(path: Path) -> list[Point]:
    return hard.judge_notification(path / "notification.py")


def test_the_reference_keeps_its_promise_on_ten_seeds() -> None:
    days = readings(HARD / "reference" / "detector.py", SEEDS)
    assert [day.traffic.seed for day in days] == list(range(1, 11)) == list(SEEDS)
    for day in days:
        assert len(day.times) == 24 * 60
        assert day.score.false_share < 0.1
        assert day.score.false_alarm_share < 0.1
        assert all(delay is not None and delay <= 180 for delay in day.score.delays_s)


def test_a_fixed_threshold_on_the_same_days_finds_little() -> None:
    fixed = together([score_fixed(play(seed)) for seed in SEEDS])
    assert len(fixed.delays_s) == 60
    assert 5 <= fixed.found <= 15


def test_the_reference_passes() -> None:
    points = [*of_detector(HARD / "reference", SEEDS), *of_notification(HARD / "reference")]
    assert failed(points) == set()
    assert len(points) == 13


def test_the_plausible_wrong_answer_fails_where_it_is_wrong() -> None:
    assert failed(of_detector(HARD / "wrong")) == {
        "detector: anomalies",
        "detector: false alarms",
        "detector: band holds what is normal",
        "detector: band follows the day",
        "detector: better than a fixed threshold",
    }
    assert failed(of_notification(HARD / "wrong")) == {
        "Slack: context",
        "Slack: nobody is pinged",
        "Discord: format",
        "Discord: context",
        "Discord: nobody is pinged",
    }


def test_every_failed_point_has_a_hint_on_one_line() -> None:
    for answer in ("wrong", "starter"):
        points = [*of_detector(HARD / answer), *of_notification(HARD / answer)]
        for point in points:
            assert bool(point.hint) == (point.result is Result.FAIL)
            assert "\n" not in point.hint


@pytest.mark.parametrize(
    ("old", "new", "points"),
    [
        ("IN_A_ROW = 2", "IN_A_ROW = 1", {"false alarms"}),
        ("IN_A_ROW = 2", "IN_A_ROW = 5", {"anomalies", "better than a fixed threshold"}),
        ("AROUND = 15", "AROUND = 0", {"false alarms"}),
        ("abs(z) > SIGMAS", "abs(z) > 0.5", {"false positives", "false alarms"}),
        ("(value - mean) / sigma", "(mean - value) / sigma", {"three sigma"}),
        ("mean + SIGMAS * sigma, z", "mean + 2 * sigma, z", {"three sigma"}),
        ("minute = (", "minute = 720 + 0 * (", NOON),
        ("mean - SIGMAS * sigma, mean", "min(value, mean - 3 * sigma), mean", {"band holds what is normal"}),
    ],
    ids=["one check", "five in a row", "one value a day", "half a sigma", "sign", "lopsided band", "noon", "wide band"],
)
def test_a_worse_detector_fails_where_it_is_worse(tmp_path: Path, old: str, new: str, points: set[str]) -> None:
    found = failed(of_detector(changed(tmp_path, "detector.py", (old, new))))
    assert found == {f"detector: {name}" for name in points}


def test_a_detector_that_flags_always_is_no_good_one() -> None:
    traffic = play(1)
    always = score(np.ones(1440, dtype=np.bool_), traffic.times[traffic.judged], traffic.anomalies)
    assert always.found == 6
    assert always.false_share == 1.0


def test_what_counts_as_in_time_and_as_in_vain() -> None:
    times = np.arange(60.0, 3601.0, 60.0)
    marks = np.isin(times, [240.0, 300.0, 1260.0, 1440.0, 3000.0])
    found = score(marks, times, [Injected(100, 700, 2.0), Injected(1000, 1200, 2.0)])
    assert found.delays_s == (140.0, None)  # 1260 is 260 s after the start: too late
    assert (found.alarms, found.false_alarms) == (4, 2)  # 1260 is the anomaly's echo, 1440 and 3000 are nothing
    assert found.in_vain == 2


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "class Detector:\n    def __init__(self, times, values):\n        1 / 0\n",
            "detector.py:3: ZeroDivisionError",
        ),
        ("class Detector(:\n", "detector.py:1: SyntaxError"),
        ("import sys\nsys.exit(0)\n", "detector.py:2: SystemExit"),
        ("import os\nos._exit(7)\n", "exit code 7"),
        ("x = 1\n", "has no attribute 'Detector'"),
    ],
    ids=["raises", "syntax", "exits", "dies", "empty"],
)
def test_code_that_does_not_run_is_a_failed_point_with_its_line(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "detector.py").write_text(code, encoding="utf-8")
    (point,) = hard.judge_detector(tmp_path / "detector.py")
    assert point.result is Result.FAIL
    assert said in point.observed


def test_code_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.exercises.answers.DEADLINE_S", 1.0)
    (tmp_path / "detector.py").write_text("while True:\n    pass\n", encoding="utf-8")
    (point,) = hard.judge_detector(tmp_path / "detector.py")
    assert "not done after 1 s" in point.observed


@pytest.mark.parametrize("readings", ["None", "Reading(value, value, value, float('nan'), False)"], ids=["none", "nan"])
def test_a_reading_that_is_none(tmp_path: Path, readings: str) -> None:
    code = "from lab.exercises.anomaly import Reading\nclass Detector:\n    def __init__(self, *_):\n        pass\n"
    (tmp_path / "detector.py").write_text(f"{code}    def check(self, time, value):\n        return {readings}\n")
    (point,) = hard.judge_detector(tmp_path / "detector.py")
    assert "check() must return" in point.observed


@pytest.mark.parametrize(
    ("old", "new", "point"),
    [
        ('"text": title, ', "", "Slack: format"),
        ('.replace("<", "&lt;").replace(">", "&gt;")', "", "Slack: nobody is pinged"),
        ('"allowed_mentions": {"parse": []},', "", "Discord: nobody is pinged"),
        ('"Expected": f"{anomaly.expected:.2f}",', "", "Slack: context"),
        ("{anomaly.low:.2f} to ", "", "Discord: context"),
        ('"z-score": f"{anomaly.z:+.1f}",', "", "Slack: context"),
        ('time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(anomaly.time))', '""', "Discord: context"),
        ("anomaly.runbook_url", '""', "Slack: context"),
        ('f"Anomaly: {anomaly.metric}"', '"x" * 2001', "Discord: format"),
    ],
)
def test_a_notification_that_lacks_something(tmp_path: Path, old: str, new: str, point: str) -> None:
    assert point in failed(of_notification(changed(tmp_path, "notification.py", (old, new))))


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"content": "x" * 2001}, "content has 2001 characters"),
        ({"content": "x" * 2000}, ""),
        ({"content": ["x"]}, "content is no text"),
        ({"content": "x", "embeds": "y"}, "embeds is no list"),
        ({"embeds": []}, "neither"),
        ({"embeds": ["text"]}, "an embed is no object"),
        ({"content": "x", "embeds": [{}]}, "without any of title"),
        ({"embeds": [{"color": 1}]}, "without any of title"),
        ({"embeds": [{"title": "x"}, {"title": ""}]}, "without any of title"),
        ({"embeds": [{"title": 5}]}, "are texts"),
        ({"embeds": [{"description": ["x"]}]}, "are texts"),
        ({"embeds": [{"description": "x" * 4097}]}, "a description has 4097 characters"),
        ({"embeds": [{"description": "x" * 4096}]}, ""),
        ({"embeds": [{"fields": ["x"]}]}, "fields of an embed"),
        ({"embeds": [{"fields": [{"name": "x"}]}]}, "fields of an embed"),
        ({"embeds": [{"title": "x", "fields": "y"}]}, "fields of an embed"),
        ({"embeds": [{"title": "x"}] * 11}, "11 embeds"),
        ({"embeds": [{"title": "x"}] * 10}, ""),
        ({"content": None, "embeds": [{"title": "x"}]}, ""),
        ({"content": None, "embeds": None}, "neither"),
        ({"embeds": [{"fields": [{"name": "x", "value": "y"}]}]}, ""),
    ],
)
def test_what_discord_refuses(payload: object, said: str) -> None:
    (found, *_) = notifications.discord(payload, payload)
    assert (found.name, found.result) == ("Discord: format", Result.FAIL if said else Result.PASS)
    assert (said or "content or embeds") in found.observed


@pytest.mark.parametrize("body", ["None", "'text'", "[]", "{'text': 1, 'content': 2, 'embeds': 3}"])
def test_a_body_of_another_type_is_a_failed_point(tmp_path: Path, body: str) -> None:
    code = f"def slack(anomaly):\n    return {body}\n\ndiscord = slack\n"
    (tmp_path / "notification.py").write_text(code, encoding="utf-8")
    assert {"Slack: format", "Discord: format"} <= failed(of_notification(tmp_path))


def test_a_missing_file_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no detector\.py in it"):
        hard.judge(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        hard.judge(tmp_path / "none")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_the_code_has_started_delays_nothing_and_is_ended_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    starts = (
        "import subprocess\n"
        f"with open({str(pids)!r}, 'a') as file:\n"
        "    print(subprocess.Popen(['sleep', '300']).pid, file=file)\n"
    )
    reference = (HARD / "reference" / "detector.py").read_text(encoding="utf-8")
    (tmp_path / "detector.py").write_text(starts + reference, encoding="utf-8")
    found = of_detector(tmp_path, (1,))
    assert len(found) > 1, found
    assert not [point.observed for point in found if "not done" in point.observed]
    until(lambda: not any(runs(int(pid)) for pid in pids.read_text().split()), 10, "it is ended")


def test_what_the_code_prints_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.exercises.answers.MOST_BYTES", 1 << 20)
    (tmp_path / "detector.py").write_text("import sys\nwhile True:\n    print('x' * 1000, file=sys.stderr)\n")
    (point,) = hard.judge_detector(tmp_path / "detector.py")
    assert "ended with exit code" in point.observed or "File too large" in point.observed
