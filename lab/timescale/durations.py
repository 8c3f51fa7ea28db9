"""Prometheus durations, exact to the millisecond.

Syntax and units as in `model.ParseDuration` of prometheus/common: `1y 1w 1d 1h 1m 1s 1ms`, each at most once and
in this order; a year has 365 days, a week 7, a day 24 hours. No negative durations: PromQL's `offset -5m`
carries its sign outside the duration.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lab.timescale.errors import InputError

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_SYNTAX = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS_MS))
# Go keeps durations as int64 nanoseconds; Prometheus refuses what does not fit.
_MAX_MS = (2**63 - 1) // 1_000_000


@dataclass(frozen=True, order=True)
class Duration:
    """A span of time in whole milliseconds, never negative."""

    milliseconds: int

    def __post_init__(self) -> None:
        if not 0 <= self.milliseconds <= _MAX_MS:
            raise InputError("a duration must lie between 0 and about 292 years", construct=str(self.milliseconds))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `1h30m`, `250ms`, `0`; raise InputError for anything Prometheus would refuse."""
        if text == "0":
            return cls(0)
        match = _SYNTAX.fullmatch(text)
        if not text or match is None or len(text) > 100:
            raise InputError(
                "not a Prometheus duration", construct=repr(text[:40]), remedy="write it like 1h30m, 15s or 250ms"
            )
        counts = zip(match.groups(), _UNITS_MS.values(), strict=True)
        return cls(sum(int(count) * unit for count, unit in counts if count))

    @classmethod
    def of_seconds(cls, seconds: float) -> Duration:
        """The nearest whole number of milliseconds."""
        return cls(round(seconds * 1000))

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.milliseconds / 1000

    def compressed(self, speed: float) -> Duration:
        """This span divided by `speed`, to the nearest millisecond; only 0 becomes 0."""
        check_speed(speed)
        if speed == 1 or not self.milliseconds:
            return self
        return Duration(max(1, round(self.milliseconds / speed)))

    def __str__(self) -> str:
        """Print as Prometheus does: years, weeks and days only where they divide evenly."""
        if not self.milliseconds:
            return "0s"
        rest, out = self.milliseconds, ""
        for unit, size in _UNITS_MS.items():
            if unit in ("y", "w", "d") and rest % size:
                continue
            count, rest = divmod(rest, size)
            out += f"{count}{unit}" if count else ""
        return out


def check_speed(speed: float) -> float:
    """Return `speed`; raise InputError unless it is a finite number of at least 1."""
    if not math.isfinite(speed) or speed < 1:
        raise InputError("the speed must be a number of at least 1", construct=f"speed {speed}")
    return speed
