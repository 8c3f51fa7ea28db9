"""Comparisons on a seeded corpus: what is planted is found, what is unchanged is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from bench_corpus import DOCUMENTED_RUNS, RECORDED, recorded, synthetic

from lab.bench import compare as module
from lab.bench.compare import Comparison, Direction, compare, require_comparable
from lab.bench.machine import Machine
from lab.bench.results import Benchmark, BenchRun
from lab.bench.stats import ALPHA
from lab.commands.bench import bench
from lab.errors import UsageError

Draw = Callable[[np.random.Generator], Benchmark]
UNCHANGED, PLANTED = 200, 60
SLOWER = ("time_to_detect_s", "pipeline_delay_s", "time_to_recover_s", "peak_rss_patient_mib", "peak_rss_service_mib")


def one(values: list[float], figure: str = "time_to_detect_s", **more: float) -> Benchmark:
    found = replace(RECORDED, runs={})
    for seed, value in enumerate(values):
        found = found.with_run("a", BenchRun(seed, {figure: value, **more}))
    return found


def flagged(draw: Draw) -> float:
    """The share of comparisons of unchanged things in which the test alone would call anything better or worse."""
    rng = np.random.default_rng(20)
    found = [compare(draw(rng), draw(rng)) for _ in range(UNCHANGED)]
    return sum(any(change.p <= ALPHA for change in c.changes) for c in found) / UNCHANGED


@pytest.mark.parametrize("draw", [recorded, synthetic])
def test_at_most_five_per_cent_of_unchanged_comparisons_are_flagged(draw: Draw) -> None:
    assert flagged(draw) <= 0.05


def test_without_the_correction_most_unchanged_comparisons_would_be_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "holm", list)
    assert flagged(synthetic) > 0.5


def planted(factors: Mapping[str, float], direction: Direction) -> dict[str, float]:
    """How often each figure is found to have gone in a direction."""
    rng = np.random.default_rng(30)
    found = [compare(recorded(rng), recorded(rng, **factors)) for _ in range(PLANTED)]
    hits = [change.figure.name for c in found for change in c.of(direction)]
    return {name: hits.count(name) / PLANTED for name in factors}


@pytest.mark.parametrize("figure", SLOWER)
def test_a_planted_slowdown_of_thirty_per_cent_is_found_at_the_documented_runs(figure: str) -> None:
    assert planted({figure: 1.3}, Direction.WORSE)[figure] >= 0.95


@pytest.mark.parametrize("figure", SLOWER[:2])
def test_it_is_found_among_the_figures_of_five_scenarios_and_nothing_else_is(figure: str) -> None:
    rng = np.random.default_rng(32)
    pairs = [(_five(rng), _five(rng, **{figure: 1.3})) for _ in range(PLANTED)]
    worse = [[(c.label, c.figure.name) for c in compare(*pair).of(Direction.WORSE)] for pair in pairs]
    assert sum(("s0", figure) in found for found in worse) / PLANTED >= 0.95
    assert sum(bool(set(found) - {("s0", figure)}) for found in worse) / PLANTED <= 0.05


def _five(rng: np.random.Generator, **factors: float) -> Benchmark:
    drawn = [recorded(rng, **(factors if number == 0 else {})).runs["cardinality"] for number in range(5)]
    return replace(RECORDED, runs={f"s{number}": runs for number, runs in enumerate(drawn)})


def test_the_documented_runs_are_the_default() -> None:
    assert next(p.default for p in bench.params if p.name == "runs") == DOCUMENTED_RUNS


def test_fewer_requests_are_worse_and_less_time_is_better() -> None:
    assert planted({"requests_per_s": 1 / 1.3}, Direction.WORSE)["requests_per_s"] >= 0.9
    assert planted({"requests_per_s": 1.3}, Direction.BETTER)["requests_per_s"] >= 0.9
    assert planted({"time_to_detect_s": 1 / 1.3}, Direction.BETTER)["time_to_detect_s"] >= 0.95


def test_a_slowdown_blames_nothing_else() -> None:
    rng = np.random.default_rng(31)
    found = [compare(recorded(rng), recorded(rng, time_to_recover_s=1.3)) for _ in range(PLANTED)]
    others = sum(any(c.figure.name != "time_to_recover_s" for c in f.of(Direction.WORSE)) for f in found)
    assert others / PLANTED <= 0.05


def test_the_first_recorded_runs_are_the_same_as_the_last() -> None:
    (label, runs), *_ = RECORDED.runs.items()
    found = compare(replace(RECORDED, runs={label: runs[:6]}), replace(RECORDED, runs={label: runs[6:]}))
    assert len(found.of(Direction.SAME)) == len(found.changes) == 10


EIGHT = [10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7]


def moved(by: float, tolerance: float = 0.1) -> Comparison:
    return compare(one(EIGHT), one([v * by for v in EIGHT]), tolerance)


def test_a_sure_but_small_change_is_the_same() -> None:
    (change,) = moved(1.09).changes
    assert change.p < 0.001
    assert change.direction is Direction.SAME
    assert moved(1.09, 0.05).exit_code == moved(1.11).exit_code == 1
    assert moved(0.89).exit_code == 0


def test_what_is_finer_than_the_lab_measures_is_the_same() -> None:
    small = [v / 100 for v in EIGHT]
    found = compare(one(small), one([v + 0.2 for v in small]))
    assert found.of(Direction.SAME)
    assert compare(one(small), one([v + 0.3 for v in small])).of(Direction.WORSE)


def test_from_nothing_to_something() -> None:
    (change,) = compare(one([0.0] * 8, "series_per_s"), one([50.0] * 8, "series_per_s")).changes
    assert change.direction is Direction.BETTER
    assert change.relative == float("inf")


def test_too_few_runs_are_no_same() -> None:
    found = compare(one(EIGHT[:3]), one(EIGHT[:3]))
    assert found.exit_code == 3
    assert "3 and 3 runs can show no change of 1 figure; 4 each are needed" in found.doubts[0]
    assert compare(one(EIGHT[:4]), one(EIGHT[:4])).exit_code == 0
    assert compare(one(EIGHT[:4]), one([v + 5 for v in EIGHT[:4]])).exit_code == 1


def test_a_figure_that_is_not_measured_any_more_is_no_same() -> None:
    found = compare(one(EIGHT, overhead_s=1.0), one(EIGHT))
    assert found.doubts == ("a: overhead was measured for the baseline and is not now",)
    assert found.exit_code == 3
    assert compare(one(EIGHT), one(EIGHT, overhead_s=1.0)).exit_code == 0


def test_a_scenario_that_is_not_measured_any_more_is_no_same_unless_it_was_left_out_by_name() -> None:
    more = one(EIGHT).with_run("b", BenchRun(1, {"overhead_s": 1.0, "time_to_detect_s": 1.0}))
    found = compare(more, one(EIGHT))
    assert found.doubts == ("b: was measured for the baseline and is not now; to leave it out, name those to compare",)
    assert found.exit_code == 3
    assert compare(more, one(EIGHT), asked=("a",)).exit_code == 0
    assert compare(more, one(EIGHT), asked=("a", "b")).doubts == ("b: was measured for the baseline and is not now",)
    without = one(EIGHT).with_run("b", BenchRun(1, {}))
    assert compare(more, without, asked=("a",)).doubts == ("b: was measured for the baseline and is not now",)


def test_runs_that_all_failed_are_in_doubt_and_no_bad_usage() -> None:
    found = compare(one(EIGHT), one([]), asked=("a",))
    assert (found.changes, found.exit_code) == ((), 3)
    with pytest.raises(UsageError, match="no figure of these scenarios"):
        require_comparable(one([]), one([]), ())


def test_another_machine_and_other_software_are_told() -> None:
    other = Machine("Other CPU", 64, 512_000, "aarch64")
    now = replace(one(EIGHT), machine=other, software={**RECORDED.software, "prometheus": "3.5.3"})
    machine, software = compare(one(EIGHT), now).warnings
    for part in ("another machine", "Other CPU", "cores: 2, now 64", "aarch64", "512000 MiB"):
        assert part in machine
    assert software == "prometheus 2.42.0, now 3.5.3"
    assert not compare(one(EIGHT), one(EIGHT)).warnings


def test_memory_that_firmware_keeps_is_no_other_machine() -> None:
    machine = RECORDED.machine
    assert not machine.differences(replace(machine, memory_mib=machine.memory_mib - 500))
    assert machine.differences(replace(machine, memory_mib=machine.memory_mib // 2))


def test_what_can_not_be_compared_is_refused() -> None:
    for settings in ({"speed": 30.0}, {"users": 5}, {"runtime": "docker"}):
        now = replace(one(EIGHT), settings=replace(RECORDED.settings, **settings))
        with pytest.raises(UsageError, match=next(iter(settings))):
            compare(one(EIGHT), now)
    with pytest.raises(UsageError, match="no figure of these scenarios"):
        require_comparable(one(EIGHT), replace(RECORDED, runs={"b": RECORDED.runs["cardinality"]}), ("b",))


def test_a_figure_that_few_of_the_runs_have_is_in_doubt() -> None:
    sparse = one(EIGHT)
    for seed in range(4):
        sparse = sparse.with_run("b", BenchRun(seed, {"overhead_s": 1.0}))
    few = replace(one(EIGHT), runs={"a": tuple(BenchRun(n, {"time_to_detect_s": v}) for n, v in enumerate(EIGHT))})
    both = replace(
        few,
        runs={
            "a": (
                *few.runs["a"][:-2],
                *(replace(r, figures={**r.figures, "signal_delay_s": 1.0}) for r in few.runs["a"][-2:]),
            )
        },
    )
    found = compare(one(EIGHT, signal_delay_s=1.0), both)
    assert found.doubts == ("a: signal delay: 8 and 2 runs can show no change of 2 figures; 5 each are needed",)
    assert found.exit_code == 3
