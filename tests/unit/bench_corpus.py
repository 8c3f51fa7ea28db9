"""Benchmarks to compare: drawn from recorded runs, and made up with other spreads, tails and ties. All seeded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from lab.bench.figures import FIGURES
from lab.bench.results import Benchmark, BenchRun, load

RECORDED = load(Path(__file__).resolve().parent.parent / "recorded" / "bench" / "cardinality.json")
"""Thirteen runs of the main job on a busy machine of two cores."""
DOCUMENTED_RUNS = 10
"""The default of `--runs`, for which docs/performance.md says what is found."""


def recorded(rng: np.random.Generator, runs: int = DOCUMENTED_RUNS, **factors: float) -> Benchmark:
    """Runs drawn from the recorded ones, each figure jittered by 2 %; `factors` change figures."""
    (label, pool), found = next(iter(RECORDED.runs.items())), replace(RECORDED, runs={})
    for seed in range(runs):
        run = pool[rng.integers(len(pool))]
        figures = {k: v * (1 + 0.02 * rng.standard_normal()) * factors.get(k, 1) for k, v in run.figures.items()}
        found = found.with_run(label, BenchRun(seed, figures))
    return found


def synthetic(rng: np.random.Generator, runs: int = DOCUMENTED_RUNS) -> Benchmark:
    """Five scenarios with all figures: spreads of 2 to 50 %, every third heavy-tailed, every fourth in coarse steps.

    The figures of a run share a part of their luck, as those of a real one do.
    """
    found = replace(RECORDED, runs={})
    for number in range(5):
        for seed in range(runs):
            found = found.with_run(f"s{number}", BenchRun(seed, _figures(rng)))
    return found


def _figures(rng: np.random.Generator) -> Mapping[str, float]:
    luck, figures = rng.standard_normal(), {}
    for n, figure in enumerate(FIGURES):
        spread = 0.02 + 0.48 * n / len(FIGURES)
        own = rng.standard_t(2) if n % 3 == 0 else rng.standard_normal()
        value = 100.0 * np.exp(spread * (0.5 * luck + 0.8 * own))
        figures[figure.name] = float(np.round(value / 10) * 10 if n % 4 == 0 else value)
    return figures
