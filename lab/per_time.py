"""A figure that goes by the hour, such as a price: in a run an hour has more queries than in production."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PerTime:
    """`figure` is that of real time; at a speed the traffic of an hour is so many times as much, and this so much less.

    So `--speed 1` tells the same story: what is spent in an hour comes to the same.
    """

    figure: float

    def at(self, speed: float) -> float:
        """The figure of a run."""
        return self.figure / speed
