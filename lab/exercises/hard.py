"""The judge of adaptive thresholds: a detector in numpy, its notification, and the same as rules of Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lab.exercises import anomaly_rules, answers, notifications
from lab.exercises.catalog import DETECTOR
from lab.exercises.detection import SEEDS, band_points, fixed_point, points_of, readings
from lab.exercises.points import Point, point, unjudged
from lab.exercises.promtool import PromtoolMissingError

NOTIFICATION, RULES = "notification.py", "rules.yml"


def judge(folder: Path) -> list[Point]:
    """The points of an answer. Raises `UsageError` where a file is missing."""
    detector, notification = answers.required(folder, DETECTOR), answers.required(folder, NOTIFICATION)
    rules = answers.text(folder, RULES)
    return [*judge_detector(detector), *judge_rules(rules), *judge_notification(notification)]


def judge_detector(path: Path, seeds: Sequence[int] = SEEDS) -> list[Point]:
    """The points of a detector, on a week for each seed."""
    try:
        days = readings(path, seeds)
    except answers.AnswerError as error:
        return [_broken("detector: runs", error)]
    return [*points_of("detector", [day.score for day in days]), *band_points(days), fixed_point(days)]


def judge_rules(rules: str) -> list[Point]:
    """The points of a rule file, on the same weeks."""
    try:
        return anomaly_rules.judge(rules)
    except PromtoolMissingError as error:
        return [unjudged("rules", str(error))]
    except answers.AnswerError as error:
        return [point("rules: run", False, str(error), "promtool says what it does not understand, and where")]


def judge_notification(path: Path) -> list[Point]:
    """The points of a notification in both formats."""
    asked = [asdict(notifications.EXAMPLE), asdict(notifications.HOSTILE)]
    try:
        ordinary, hostile = answers.run("notify", path, asked)
    except answers.AnswerError as error:
        return [_broken("notification: runs", error)]
    return [
        *notifications.slack(ordinary["slack"], hostile["slack"]),
        *notifications.discord(ordinary["discord"], hostile["discord"]),
    ]


def _broken(name: str, error: answers.AnswerError) -> Point:
    return point(name, False, str(error), "make it run first; starter/ shows what is called")
