"""The points of an answer: each passes, fails with a hint, or could not be judged."""

from __future__ import annotations

from dataclasses import dataclass

from lab.scenario import Result
from lab.text import one_line

MARKS = {Result.PASS: "ok", Result.FAIL: "FAIL", Result.SKIPPED: "skipped", Result.INCONCLUSIVE: "unclear"}


@dataclass(frozen=True)
class Point:
    """One thing an answer must do. `hint`: one line that leads on, where it does not."""

    name: str
    result: Result
    observed: str
    hint: str = ""


@dataclass(frozen=True)
class Judged:
    """All points of an answer."""

    exercise: str
    points: tuple[Point, ...]

    @property
    def exit_code(self) -> int:
        """1 where a point failed, 3 where one could not be judged, else 0."""
        results = {point.result for point in self.points}
        return 1 if Result.FAIL in results else 3 if results - {Result.PASS} else 0

    def to_text(self) -> str:
        """A line a point, and the hint of what failed below it."""
        width = max(len(point.name) for point in self.points)
        lines = []
        for point in self.points:
            lines.append(f"{MARKS[point.result]:8}{point.name:{width}}  {one_line(point.observed)}")
            if point.result is Result.FAIL and point.hint:
                lines.append(f"{'':8}hint: {one_line(point.hint)}")
        passed = sum(point.result is Result.PASS for point in self.points)
        return "\n".join([*lines, f"{self.exercise}: {passed} of {len(self.points)} points", ""])

    def to_json(self) -> dict[str, object]:
        """The same for machines."""
        points = [
            {"name": p.name, "result": p.result.value, "observed": p.observed, "hint": p.hint} for p in self.points
        ]
        return {"exercise": self.exercise, "exit_code": self.exit_code, "points": points}


def point(name: str, passed: bool, observed: str, hint: str) -> Point:
    """A point that was judged."""
    return Point(name, Result.PASS if passed else Result.FAIL, observed, "" if passed else hint)


def unjudged(name: str, reason: str) -> Point:
    """A point that could not be judged on this machine."""
    return Point(name, Result.SKIPPED, reason)
