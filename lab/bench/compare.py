"""Better, same or worse than a baseline: by an exact test, corrected for how many figures are looked at. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from lab.bench.figures import BY_NAME, Figure
from lab.bench.results import Benchmark
from lab.bench.stats import ALPHA, holm, least_p, rank_sum_p
from lab.errors import UsageError

TOLERANCE = 0.10
"""A change of the median by less is `same`, however sure: a machine differs by as much from itself on another day."""


class Direction(StrEnum):
    """How a figure compares with the baseline's. `same`: no change was shown, which is no proof that there is none."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


@dataclass(frozen=True)
class Change:
    """One figure of one scenario beside the baseline's. `p` is adjusted for all figures of the comparison."""

    label: str
    figure: Figure
    before: tuple[float, ...]
    now: tuple[float, ...]
    p: float
    direction: Direction

    @property
    def relative(self) -> float:
        """Change of the median, 0.3 for +30 %; infinite from 0."""
        return _relative(statistics.median(self.before), statistics.median(self.now))


@dataclass(frozen=True)
class Comparison:
    """All figures that both have. `doubts`: why it says less than it should; `warnings`: what else differs."""

    changes: tuple[Change, ...]
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]
    tolerance: float

    def of(self, direction: Direction) -> tuple[Change, ...]:
        """The changes in one direction."""
        return tuple(change for change in self.changes if change.direction is direction)

    @property
    def exit_code(self) -> int:
        """1 where something is worse, 3 where the comparison is in doubt, else 0."""
        if self.of(Direction.WORSE):
            return 1
        return 3 if self.doubts else 0


def compare(before: Benchmark, now: Benchmark, tolerance: float = TOLERANCE, asked: Collection[str] = ()) -> Comparison:
    """Compare what was measured now with a baseline. Raises `UsageError` where it was measured with other options.

    `asked`: the scenarios that were named, so that others of the baseline are left out on purpose; none: all of it.
    """
    _require_same_options(before, now)
    earlier = set(before.measured())
    pairs = [pair for pair in now.measured() if pair in earlier]
    raw = [rank_sum_p(before.values(*pair), now.values(*pair)) for pair in pairs]
    changes = tuple(_change(before, now, pair, p, tolerance) for pair, p in zip(pairs, holm(raw), strict=True))
    new = [
        f"{label}: is not in the baseline, and is not compared" for label in now.labels if label not in before.labels
    ]
    doubts = (*_doubts(before, now, pairs), *_missing(before, now, asked), *(new if asked else ()))
    return Comparison(changes, doubts, (*_warnings(before, now), *(() if asked else new)), tolerance)


def require_comparable(before: Benchmark, now: Benchmark, labels: Collection[str]) -> None:
    """Before hours of runs, too: other options, or a baseline without a figure of these scenarios. Raises `UsageError`.

    `labels`: those that are to be measured, or that a file has. Runs of which all failed are no bad usage, but a doubt.
    """
    _require_same_options(before, now)
    if not before.labels or (labels and not {*before.labels} & {*labels}):
        raise UsageError("the baseline has no figure of these scenarios; make one with `lab bench --save`")


def _require_same_options(before: Benchmark, now: Benchmark) -> None:
    for what, old, new in (
        ("runtime", before.settings.runtime, now.settings.runtime),
        ("speed", before.settings.speed, now.settings.speed),
        ("users", before.settings.users, now.settings.users),
    ):
        if old != new:
            raise UsageError(f"the baseline has {what} {old}, this has {new}; compare runs with the same options")


def _change(before: Benchmark, now: Benchmark, pair: tuple[str, str], p: float, tolerance: float) -> Change:
    figure = BY_NAME[pair[1]]
    old, new = tuple(before.values(*pair)), tuple(now.values(*pair))
    was, is_ = statistics.median(old), statistics.median(new)
    direction = Direction.SAME
    if p <= ALPHA and _matters(figure, was, is_, tolerance):
        direction = Direction.BETTER if (is_ > was) is figure.higher_is_better else Direction.WORSE
    return Change(pair[0], figure, old, new, p, direction)


def _matters(figure: Figure, was: float, is_: float, tolerance: float) -> bool:
    return abs(is_ - was) >= figure.least and abs(_relative(was, is_)) >= tolerance


def _relative(was: float, is_: float) -> float:
    if was == is_:
        return 0.0
    return (is_ - was) / was if was else math.copysign(math.inf, is_ - was)


def _doubts(before: Benchmark, now: Benchmark, pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    """A comparison that could not have found anything is no "same". One for a scenario, or for a figure of few runs."""
    doubts: dict[str, None] = {}
    figures = "1 figure" if len(pairs) == 1 else f"{len(pairs)} figures"
    need = next((n for n in range(2, 100) if least_p(n, n) * len(pairs) <= ALPHA), 100)
    for label, name in pairs:
        runs = len(before.runs[label]), len(now.runs[label])
        values = len(before.values(label, name)), len(now.values(label, name))
        for who, (old, new) in ((label, runs), (f"{label}: {BY_NAME[name].title}", values)):
            if least_p(old, new) * len(pairs) > ALPHA:
                doubts[f"{who}: {old} and {new} runs can show no change of {figures}; {need} each are needed"] = None
                break
    return tuple(doubts)


def _missing(before: Benchmark, now: Benchmark, asked: Collection[str]) -> tuple[str, ...]:
    """What the baseline has and this has not: whole scenarios, unless others were named, and single figures."""
    was = "was measured for the baseline and is not now"
    there = now.labels
    doubts: dict[str, None] = {}  # one for a scenario, however many figures it had
    for label, name in before.measured():
        if label not in there and (label in asked or label in now.runs):
            doubts[f"{label}: {was}"] = None
        elif label not in there and not asked:
            doubts[f"{label}: {was}; to leave it out, name those to compare"] = None
        elif label in there and not now.values(label, name):
            doubts[f"{label}: {BY_NAME[name].title} {was}"] = None
    return tuple(doubts)


def _warnings(before: Benchmark, now: Benchmark) -> tuple[str, ...]:
    found = []
    if differs := before.machine.differences(now.machine):
        found.append(f"the baseline is from another machine ({'; '.join(differs)}): differences may be the machine's")
    names = [n for n in {**before.software, **now.software} if before.software.get(n) != now.software.get(n)]
    found += [f"{n} {before.software.get(n, 'unknown')}, now {now.software.get(n, 'unknown')}" for n in names]
    return tuple(found)
