"""The judge of the quality score: the score itself, its trend over a day, and the alert."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lab.exercises import answers
from lab.exercises.conversations import FALL, Kind, conversations, day
from lab.exercises.points import Point, point, unjudged
from lab.exercises.promtool import NO_JOB, PromtoolMissingError, firing

SCORE, RULES = "quality.py", "rules.yml"
GOOD = 0.7
RIGHT_SHARE = 0.9
TREND_OFF = 0.03
SEEDS = range(1, 11)

STEP_S = 15
MINUTES = 100
FALLS_AT = 60
SOONEST, LATEST = FALLS_AT + 5, FALLS_AT + 15
ANSWERS_A_STEP = 30
SERVICES: dict[str, tuple[tuple[float, float, int], ...]] = {
    "falls": ((FALLS_AT, 0.85, ANSWERS_A_STEP), (MINUTES, 0.55, ANSWERS_A_STEP)),
    "fine": ((MINUTES, 0.85, ANSWERS_A_STEP),),
    "close": ((MINUTES, 0.72, ANSWERS_A_STEP),),
    "dips": (
        (FALLS_AT, 0.85, ANSWERS_A_STEP), (FALLS_AT + 4, 0.55, ANSWERS_A_STEP), (MINUTES, 0.85, ANSWERS_A_STEP),
    ),
    "flaps": (
        (FALLS_AT, 0.85, ANSWERS_A_STEP),
        *((until, mean, ANSWERS_A_STEP) for start in range(FALLS_AT, MINUTES, 9)
          for until, mean in ((start + 4, 0.52), (start + 9, 0.85))),
    ),
    "drops": (
        (FALLS_AT, 0.85, ANSWERS_A_STEP), (FALLS_AT + 1.5, 0.08, ANSWERS_A_STEP), (MINUTES, 0.85, ANSWERS_A_STEP),
    ),
    "idle": ((30, 0.85, ANSWERS_A_STEP), (MINUTES, 0.0, 0)),
}  # fmt: skip
"""Services by their label `job`: until which minute, the mean score, and the answers between two scrapes.

A mean over a long window is as late without any `for` as one over five minutes is with it, and one dip does not tell
them apart: what does is a service that dips again before the long window has forgotten. A longer or deeper single dip
than these keeps a mean over five minutes below 0.7 for five minutes, and may alert.
"""

HINTS = {
    Kind.SUPPORTED: "a true answer in nearly the context's words must score high: compare it with the nearest sentence",
    Kind.MADE_UP: "an answer about something else must score low: which of its words are in the context?",
    Kind.HALF: "one true sentence hides a false one when the answer is compared as a whole: score each sentence",
    Kind.PARROT: "an answer that is like the question may say nothing: compare it with the context instead",
}


def judge(folder: Path) -> list[Point]:
    """The points of an answer. Raises `UsageError` where a file is missing."""
    score, rules = answers.required(folder, SCORE), answers.text(folder, RULES)
    return [*judge_score(score), *judge_rules(rules)]


def judge_score(path: Path) -> list[Point]:
    """The points of score and trend."""
    asked = conversations()
    days = [day(seed, fall) for fall in (FALL, 0.0) for seed in SEEDS]
    given = {
        "queries": [[one.question, one.answer, one.context] for one in asked],
        "days": [[times.tolist(), scores.tolist()] for times, scores in days],
    }
    try:
        found = answers.run("quality", path, given)
    except answers.AnswerError as error:
        return [point("quality: runs", False, str(error), "make it run first; starter/ shows what is called")]
    scores = np.array(found["scores"], dtype=np.float64)
    kinds = np.array([one.kind for one in asked])
    trends = found["trends"]
    return [
        _bounds(scores),
        *(_kind(kind, scores[kinds == kind]) for kind in Kind),
        _trend("falling day", trends[: len(SEEDS)], -FALL),
        _trend("steady day", trends[len(SEEDS) :], 0.0),
    ]


def _bounds(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    inside = int(((scores >= 0) & (scores <= 1)).sum())
    observed = f"{inside} of {len(scores)} scores lie between 0 and 1"
    return point("quality: a score", inside == len(scores), observed, "a cosine may be negative, and no text has none")


def _kind(kind: Kind, scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Point:
    wants_good = kind is Kind.SUPPORTED
    right = int(((scores >= GOOD) if wants_good else (scores < GOOD)).sum())
    side = "at or above" if wants_good else "below"
    return point(
        f"quality: answers {kind}", right >= RIGHT_SHARE * len(scores),
        f"{right} of {len(scores)} {side} {GOOD}, median {float(np.median(scores)):.2f}", HINTS[kind],
    )  # fmt: skip


def _trend(what: str, trends: Sequence[float], wanted: float) -> Point:
    worst = max(trends, key=lambda found: abs(found - wanted) if np.isfinite(found) else np.inf)
    return point(
        f"trend: {what}", bool(abs(worst - wanted) <= TREND_OFF),
        f"{wanted:+.2f} over 24 h; the worst of {len(trends)} answers was {worst:+.2f} (within {TREND_OFF})",
        "single answers scatter: fit a line through all of them, and give its change over 24 h",
    )  # fmt: skip


def judge_rules(rules: str) -> list[Point]:
    """The points of the alert, as promtool evaluates it."""
    names = ("alert: fires below 0.7", "alert: waits for 5 minutes", "alert: silent otherwise")
    try:
        fired = firing(rules, quality_series(), STEP_S, range(MINUTES + 1))
    except PromtoolMissingError as error:
        return [unjudged(name, str(error)) for name in names]
    except answers.AnswerError as error:
        return [point("alert: rules", False, str(error), "promtool says what it does not understand, and where")]
    first = min(fired.get("falls", []), default=None)
    others = sorted(set(fired) - {"falls"})
    after = "not at all" if first is None else f"{first - FALLS_AT} min after a fall from 0.85 to 0.55"
    lost = "an alert lost the label `job`: aggregate by (job), else the services become one"
    return [
        point(
            names[0], first is not None and first <= LATEST, f"fired {after}",
            lost if NO_JOB in fired else "sum and count are counters: divide their rates over a few minutes",
        ),
        point(names[1], first is not None and first >= SOONEST, f"fired {after}", "`for` says how long it must last"),
        _silent(names[2], others, lost) if fired else unjudged(names[2], "nothing fired, also where it should"),
    ]  # fmt: skip


def _silent(name: str, others: Sequence[str], lost: str) -> Point:
    told = "fine has 0.85, close 0.72, dips 4 bad minutes, flaps 4 of 9 again and again, drops 90 s, idle no queries"
    return point(
        name, not others, f"fired for: {', '.join(job or 'no job' for job in others) or 'nobody else'}",
        lost if NO_JOB in others else f"{told}: a short window of the mean, and `for`",
    )  # fmt: skip


def quality_series() -> dict[str, list[float]]:
    """Sum and count of the quality histogram of each service at each scrape."""
    found: dict[str, list[float]] = {}
    for job, stretches in SERVICES.items():
        sums, counts = [0.0], [0.0]
        for step in range(MINUTES * 60 // STEP_S):
            _, mean, queries = next(one for one in stretches if step * STEP_S < one[0] * 60)
            sums.append(round(sums[-1] + mean * queries, 6))
            counts.append(counts[-1] + queries)
        labels = f'{{job="{job}",instance="{job}:8001"}}'
        found[f"rag_response_quality_score_sum{labels}"] = sums
        found[f"rag_response_quality_score_count{labels}"] = counts
    return found
