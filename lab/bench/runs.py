"""The runs of a benchmark: every scenario with seed 1, then every scenario with seed 2, and so on.

In turns, so that what drifts on the machine meanwhile disturbs all scenarios alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lab.bench.figures import figures_of
from lab.bench.results import Benchmark, BenchRun
from lab.errors import OverTime
from lab.outcome import Outcome
from lab.plan import Plan
from lab.scenario import Verdict

RETRIES = 4
"""One run in so many may be repeated where it was inconclusive, and at least one of each scenario."""

Told = Callable[[str, int, Outcome, Benchmark], None]


@dataclass(frozen=True)
class Limit:
    """The end of the time that all runs have together."""

    end: float = math.inf

    @classmethod
    def after(cls, seconds: float | None) -> Limit:
        """So many seconds from now; never, without."""
        return cls() if seconds is None else cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        """Seconds that are left, infinite without a limit; 0 or less when it is over."""
        return self.end - time.monotonic()


@dataclass(frozen=True)
class Series:
    """What a series of runs came to. `unmade`: runs that the limit ended, or that there was no time for."""

    found: Benchmark
    codes: tuple[int, ...]
    unmade: int = 0


def measure(
    plans: Sequence[Plan],
    runs: int,
    begun: Benchmark,
    execute: Callable[[Plan], Outcome],
    told: Told,
    limit: Limit = Limit(),
) -> Series:
    """What the runs measured that passed, and the exit codes of all; goes on from what was begun.

    `told` hears of each run, with what is measured by then. An interrupted run ends it, and so does the limit.
    """
    found, codes = begun, [0]
    retries = {plan.scenario.label: max(1, runs // RETRIES) for plan in plans}
    waiting = [(seed, plan) for seed in range(1, runs + 1) for plan in plans if not _made(begun, plan, seed)]
    while waiting and 130 not in codes:
        if limit.left_s <= 0:
            return Series(found, (*codes, Verdict.INCONCLUSIVE.exit_code), len(waiting))
        seed, plan = waiting.pop(0)
        label = plan.scenario.label
        try:
            outcome = execute(_seeded(plan, seed))
        except OverTime:  # so early that there is no outcome
            waiting.insert(0, (seed, plan))
            continue
        if outcome.exit_code == 0:
            found = found.with_run(label, BenchRun(seed, figures_of(outcome)))
        told(label, seed, outcome, found)
        again = retries[label] or limit.left_s <= 0  # what the limit ended counts as not made
        if outcome.verdict is Verdict.INCONCLUSIVE and not outcome.interrupted and again:
            retries[label] -= 1
            waiting.insert(0, (seed, plan))
        else:
            codes.append(outcome.exit_code)
    return Series(found, tuple(codes))


def _made(begun: Benchmark, plan: Plan, seed: int) -> bool:
    return seed in {run.seed for run in begun.runs.get(plan.scenario.label, ())}


def _seeded(plan: Plan, seed: int) -> Plan:
    return replace(plan, options=replace(plan.options, seed=seed), header=replace(plan.header, seed=seed))
