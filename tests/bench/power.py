"""How many runs find which slowdown: draws from recorded runs, compared as `lab bench --compare` does.

python tests/bench/power.py [BASELINE]     a file of `lab bench --save`; without one, the recorded runs of the tests
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

from bench_corpus import RECORDED

from lab.bench.compare import Direction, compare
from lab.bench.figures import FIGURES, Figure
from lab.bench.results import Benchmark, BenchRun, load
from lab.bench.stats import ALPHA

RUNS = (7, 10, 20)
SLOWDOWNS = (0.15, 0.30, 0.50, 1.0)
DRAWS = 200
NONE: Mapping[tuple[str, str], float] = MappingProxyType({})


def main() -> int:
    found = load(Path(sys.argv[1])) if sys.argv[1:] else RECORDED
    rng = np.random.default_rng(1)
    for runs in RUNS:
        flagged = sum(_flags(found, rng, runs) for _ in range(DRAWS)) / DRAWS
        print(f"{runs} runs: {flagged:.1%} of {DRAWS} unchanged comparisons are flagged")  # noqa: T201
    heads = [f"{runs} runs, {slow:+.0%}" for runs in RUNS for slow in SLOWDOWNS]
    print(f"| figure | {' | '.join(heads)} |\n|{' --- |' * (len(heads) + 1)}")  # noqa: T201
    for figure in FIGURES:
        if any(found.values(label, figure.name) for label in found.runs):
            cells = [f"{_finds(found, rng, figure, runs, slow):.0%}" for runs in RUNS for slow in SLOWDOWNS]
            print(f"| {figure.title} | {' | '.join(cells)} |")  # noqa: T201
    return 0


def _flags(found: Benchmark, rng: np.random.Generator, runs: int) -> bool:
    """Whether the test alone would call anything better or worse, however small the change."""
    compared = compare(_draw(found, rng, runs), _draw(found, rng, runs))
    return any(change.p <= ALPHA for change in compared.changes)


def _finds(found: Benchmark, rng: np.random.Generator, figure: Figure, runs: int, slow: float) -> float:
    """The share of comparisons that find a figure worse in the first scenario that has it."""
    factor = 1 / (1 + slow) if figure.higher_is_better else 1 + slow
    slowed = next(label for label in found.runs if found.values(label, figure.name))
    hits = 0
    for _ in range(DRAWS):
        compared = compare(_draw(found, rng, runs), _draw(found, rng, runs, {(slowed, figure.name): factor}))
        hits += (slowed, figure) in [(change.label, change.figure) for change in compared.of(Direction.WORSE)]
    return hits / DRAWS


def _draw(
    found: Benchmark,
    rng: np.random.Generator,
    runs: int,
    factors: Mapping[tuple[str, str], float] = NONE,
) -> Benchmark:
    drawn = replace(found, runs={})
    for label, pool in found.runs.items():
        for seed in range(runs):
            run = pool[rng.integers(len(pool))]
            jittered = {k: v * (1 + 0.02 * rng.standard_normal()) for k, v in run.figures.items()}
            slowed = {k: v * factors.get((label, k), 1) for k, v in jittered.items()}
            drawn = drawn.with_run(label, BenchRun(seed, slowed))
    return drawn


if __name__ == "__main__":
    sys.exit(main())
