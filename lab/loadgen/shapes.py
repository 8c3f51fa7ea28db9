"""Load shapes as functions of simulated time: how many users there are at a moment. Pure; Locust is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

MINUTE_S = 60.0


def _steady(_minutes: float) -> float:
    return 1.0


def _spike(minutes: float) -> float:
    """Twice the users in every fourth minute."""
    return 2.0 if minutes % 4 >= 3 else 1.0


def _ramp(minutes: float) -> float:
    """From a quarter to one and a half in ten minutes, and on from there."""
    return min(1.5, 0.25 + 1.25 * minutes / 10)


def _double_halve(minutes: float) -> float:
    """As planned, doubled, as planned, halved: two minutes each, over and over."""
    return (1.0, 2.0, 1.0, 0.5)[int(minutes // 2) % 4]


SHAPES: Mapping[str, Callable[[float], float]] = {
    "steady": _steady, "spike": _spike, "ramp": _ramp, "double-halve": _double_halve,
}  # fmt: skip
"""The factor on a scenario's users by simulated minutes since the traffic began."""


def users_at(shape: str, users: int, simulated_s: float) -> int:
    """Users at a moment of simulated time, at least one."""
    return max(1, round(users * SHAPES[shape](simulated_s / MINUTE_S)))
