"""The runs of a benchmark: every scenario with seed 1, then every scenario with seed 2, and so on.

In turns, so that what drifts on the machine meanwhile disturbs all scenarios alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lab.bench.figures import figures_of
from lab.bench.results import Benchmark, BenchRun
from lab.outcome import Outcome
from lab.plan import Plan
from lab.scenario import Verdict

RETRIES = 4
"""One run in so many may be repeated where it was inconclusive, and at least one of each scenario."""

Told = Callable[[str, int, Outcome, Benchmark], None]


def measure(
    plans: Sequence[Plan], runs: int, begun: Benchmark, execute: Callable[[Plan], Outcome], told: Told
) -> tuple[Benchmark, list[int]]:
    """What the runs measured that passed, and the exit codes of all; goes on from what was begun.

    `told` hears of each run, with what is measured by then. An interrupted run ends it.
    """
    found, codes = begun, [0]
    retries = {plan.scenario.label: max(1, runs // RETRIES) for plan in plans}
    waiting = [(seed, plan) for seed in range(1, runs + 1) for plan in plans]
    while waiting and 130 not in codes:
        seed, plan = waiting.pop(0)
        label = plan.scenario.label
        if seed in {run.seed for run in found.runs.get(label, ())}:
            continue
        outcome = execute(_seeded(plan, seed))
        if outcome.exit_code == 0:
            found = found.with_run(label, BenchRun(seed, figures_of(outcome)))
        told(label, seed, outcome, found)
        if outcome.verdict is Verdict.INCONCLUSIVE and not outcome.interrupted and retries[label]:
            retries[label] -= 1
            waiting.insert(0, (seed, plan))
        else:
            codes.append(outcome.exit_code)
    return found, codes


def _seeded(plan: Plan, seed: int) -> Plan:
    return replace(plan, options=replace(plan.options, seed=seed), header=replace(plan.header, seed=seed))
