"""Run a learner's detector on days of traffic, and say what its readings are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lab.exercises import answers
from lab.exercises.points import Point, point
from lab.exercises.scoring import DEADLINE_S, Marks, Score, score, score_fixed, together
from lab.exercises.traffic import CHECK_S, Floats, Traffic, play

SEEDS = tuple(range(1, 11))
ALLOWED_SHARE = 0.10
INSIDE = 0.95
"""Share of the normal checks that the band must hold: three sigma hold more."""
FOLLOWS = 1.5
"""By how much higher the band must be at the busiest time than at the quietest, where traffic is four times as much."""
SIGMAS, SIGMAS_OFF = 3.0, 0.2


@dataclass(frozen=True)
class Day:
    """The readings of the judged day, a value for each check."""

    traffic: Traffic
    expected: Floats
    low: Floats
    high: Floats
    z: Floats
    flagged: Marks

    @property
    def times(self) -> Floats:
        """Unix seconds of the checks."""
        return self.traffic.times[self.traffic.judged]

    @property
    def values(self) -> Floats:
        """What was judged, in queries a second."""
        return self.traffic.values[self.traffic.judged]

    @property
    def score(self) -> Score:
        """What the marks are worth."""
        return score(self.flagged, self.times, self.traffic.anomalies)


def readings(detector: Path, seeds: Sequence[int]) -> list[Day]:
    """A day for each seed. Raises `AnswerError`."""
    played = [play(seed) for seed in seeds]
    found = answers.run("detect", detector, [_asked(traffic) for traffic in played])
    days = []
    for traffic, rows in zip(played, found, strict=True):
        expected, low, high, z, flagged = np.array(rows, dtype=np.float64).T
        days.append(Day(traffic, expected, low, high, z, flagged > 0))
    return days


def _asked(traffic: Traffic) -> dict[str, list[float]]:
    times, values = traffic.times, traffic.values
    return {
        "times": times[traffic.baseline].tolist(),
        "values": values[traffic.baseline].tolist(),
        "day_times": times[traffic.judged].tolist(),
        "day_values": values[traffic.judged].tolist(),
    }


def points_of(what: str, scores: Sequence[Score]) -> list[Point]:
    """What was found, how soon, and what was flagged in vain; each day must hold what is promised for a day."""
    whole = together(scores)
    total = len(whole.delays_s)
    worst = max(scores, key=lambda s: s.false_share)
    soon = f", the slowest after {whole.slowest_s:.0f} s" if whole.found else ""
    return [
        point(
            f"{what}: anomalies", whole.found == total,
            f"{whole.found} of {total} found within {DEADLINE_S:.0f} s{soon}",
            "what is usual depends on the time of day: compare 3 o'clock with 3 o'clock, of each of the seven days",
        ),
        point(
            f"{what}: false positives", worst.false_share < ALLOWED_SHARE,
            f"{worst.false_share:.2%} of the normal checks of the worst day flagged (below {ALLOWED_SHARE:.0%})",
            "the band is too narrow: sigma is how much values of the same time of day differ, from several of them",
        ),
        point(
            f"{what}: false alarms", whole.alarms > 0 and whole.false_alarm_share < ALLOWED_SHARE,
            f"{whole.false_alarms} of {whole.alarms} alarms (below {ALLOWED_SHARE:.0%})",
            "of 1440 checks a day, four lie beyond three sigma by chance: how likely are two in a row?"
            if whole.alarms
            else "nothing was flagged at all, so nothing is known about false alarms",
        ),
    ]  # fmt: skip


def band_points(days: Sequence[Day]) -> list[Point]:
    """Whether the band holds what is normal, leaves out what is not, follows the day, and is three sigma wide."""
    inside = min(_inside(day, normal=True) for day in days)
    abnormal = max(_inside(day, normal=False) for day in days)
    follows = min(_follows(day) for day in days)
    edge = float(np.median([_sigmas(day) for day in days]))
    return [
        point(
            "detector: band holds what is normal", inside >= INSIDE and abnormal <= 1 - INSIDE,
            f"{inside:.1%} of the normal values, {abnormal:.1%} of the anomalous ones are inside",
            "the band comes from the week before, not from the value that is checked: three sigma to either side",
        ),
        point(
            "detector: band follows the day", follows >= FOLLOWS,
            f"at the busiest time {follows:.1f} times as high as at the quietest",
            "the band is (nearly) the same by day and by night",
        ),
        point(
            "detector: three sigma", abs(edge - SIGMAS) <= SIGMAS_OFF, f"the band ends at z = {edge:.1f}",
            "z is (value - expected) / sigma, negative below what is expected; the band ends at 3",
        ),
    ]  # fmt: skip


def _inside(day: Day, *, normal: bool) -> float:
    """Share of the normal values, or of those of minutes that are anomalous from end to end, inside the band."""
    touched = np.zeros(len(day.times), dtype=np.bool_)
    whole = np.zeros(len(day.times), dtype=np.bool_)
    for one in day.traffic.anomalies:
        touched |= (day.times > one.start) & (day.times < one.end + CHECK_S)
        whole |= (day.times >= one.start + CHECK_S) & (day.times <= one.end)
    return float(((day.values >= day.low) & (day.values <= day.high))[~touched if normal else whole].mean())


def _follows(day: Day) -> float:
    middle = (day.low + day.high) / 2
    quietest = float(middle.min())
    return float(middle.max()) / quietest if quietest > 0 else 0.0


def _sigmas(day: Day) -> float:
    """How many of its own sigmas the band is wide to one side: z is 1 where a value is one sigma away."""
    away = day.values - day.expected
    told = np.abs(day.z) > 0.1
    if not told.any():
        return 0.0
    return float(np.median((day.high - day.low)[told] / 2 * day.z[told] / np.where(away, away, np.inf)[told]))


def fixed_point(days: Sequence[Day]) -> Point:
    """The same days with the tightest fixed thresholds that were silent in the week before."""
    ours, fixed = together([day.score for day in days]), together([score_fixed(day.traffic) for day in days])
    return point(
        "detector: better than a fixed threshold", ours.found > fixed.found,
        f"a fixed one finds {fixed.found} of {len(fixed.delays_s)}, with {fixed.false_alarms} false alarms "
        f"of {fixed.alarms}; yours {ours.found}, with {ours.false_alarms} of {ours.alarms}",
        "a fixed threshold outside the week's range finds what leaves that range; be better than that",
    )  # fmt: skip
