"""The same weeks for a rule file: its alerts are the marks, as promtool evaluates them once a minute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lab.exercises.detection import SEEDS, points_of
from lab.exercises.points import Point
from lab.exercises.promtool import NO_JOB, firing
from lab.exercises.scoring import Score, score
from lab.exercises.traffic import CHECK_S, START, STEP_S, Traffic, play


def job(traffic: Traffic) -> str:
    """The label that tells the weeks apart."""
    return f"week-{traffic.seed}"


def scores(rules: str, seeds: Sequence[int]) -> list[Score]:
    """What the alerts of a rule file are worth on the judged day of each seed; the week before is its history.

    Raises `AnswerError` and `PromtoolMissingError`.
    """
    played = [play(seed) for seed in seeds]
    series = {
        f'rag_queries_total{{job="{job(traffic)}",instance="{job(traffic)}:8001"}}': traffic.counts.tolist()
        for traffic in played
    }
    minutes = [round((time - START) / CHECK_S) for time in played[0].times[played[0].judged]]
    fired = firing(rules, series, STEP_S, minutes)
    # An alert without the label is one about all weeks at once.
    return [_score(traffic, [*fired.get(job(traffic), []), *fired.get(NO_JOB, [])], minutes) for traffic in played]


def _score(traffic: Traffic, fired: Sequence[int], minutes: Sequence[int]) -> Score:
    return score(np.isin(minutes, fired), traffic.times[traffic.judged], traffic.anomalies)


def judge(rules: str) -> list[Point]:
    """The points of a rule file. Raises as `scores` does."""
    return points_of("rules", scores(rules, SEEDS))
