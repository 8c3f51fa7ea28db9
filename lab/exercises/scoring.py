"""What a detector's marks are worth: which anomalies it found and how soon, and what it flagged in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.exercises.traffic import Floats, Injected, Traffic

DEADLINE_S = 180.0
GRACE_S = 120.0
"""After an anomaly's end: the last minute still holds a part of it, and an alert ends one check later."""

Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """Of one or several days. `delays_s`: of each injected anomaly, None where it was not found in time."""

    delays_s: tuple[float | None, ...]
    normal: int
    """Checks without an anomaly."""
    in_vain: int
    """Of these, how many were flagged."""
    alarms: int
    """Stretches of flagged checks: each is one notification."""
    false_alarms: int

    @property
    def found(self) -> int:
        """How many anomalies were found in time."""
        return sum(delay is not None for delay in self.delays_s)

    @property
    def slowest_s(self) -> float:
        """The longest delay of those that were found."""
        return max((delay for delay in self.delays_s if delay is not None), default=0.0)

    @property
    def false_share(self) -> float:
        """Flagged in vain, as a share of the normal checks."""
        return self.in_vain / self.normal if self.normal else 0.0

    @property
    def false_alarm_share(self) -> float:
        """False alarms, as a share of the alarms."""
        return self.false_alarms / self.alarms if self.alarms else 0.0


def together(scores: Sequence[Score]) -> Score:
    """Several days as one."""
    return Score(
        tuple(delay for score in scores for delay in score.delays_s),
        sum(score.normal for score in scores),
        sum(score.in_vain for score in scores),
        sum(score.alarms for score in scores),
        sum(score.false_alarms for score in scores),
    )


def score(marks: Marks, times: Floats, anomalies: Sequence[Injected]) -> Score:
    """Judge the marks of checks at `times` (Unix seconds)."""
    touched = np.zeros(len(times), dtype=np.bool_)
    delays = []
    for one in anomalies:
        touched |= (times > one.start) & (times <= one.end + GRACE_S)
        in_time = times[marks & (times > one.start) & (times <= one.start + DEADLINE_S)]
        delays.append(float(in_time[0]) - one.start if len(in_time) else None)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    stretches = list(zip(edges[::2], edges[1::2], strict=True))
    return Score(
        tuple(delays),
        int((~touched).sum()),
        int((marks & ~touched).sum()),
        len(stretches),
        sum(not touched[begin:end].any() for begin, end in stretches),
    )


def fixed_threshold(traffic: Traffic) -> tuple[float, float]:
    """The tightest fixed thresholds that would have been silent on all seven normal days, in queries a second."""
    normal = traffic.values[traffic.baseline]
    return float(normal.min()), float(normal.max())


def score_fixed(traffic: Traffic) -> Score:
    """What those thresholds are worth on the judged day."""
    low, high = fixed_threshold(traffic)
    values = traffic.values[traffic.judged]
    return score((values < low) | (values > high), traffic.times[traffic.judged], traffic.anomalies)
