"""What a learner's detector answers, and what a notification is made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One check of a value. `low` and `high`: the normal band, in the value's unit; `z`: in standard deviations."""

    expected: float
    low: float
    high: float
    z: float
    flagged: bool


@dataclass(frozen=True)
class Anomaly:
    """What is known when an anomaly is notified; `time` in Unix seconds, `metric` is text from outside."""

    metric: str
    time: float
    value: float
    expected: float
    low: float
    high: float
    z: float
    runbook_url: str
