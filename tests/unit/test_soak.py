"""A long series of runs: its order, where it goes on, and what it takes for good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests import soak
from tests.soak import Done, Wanted, good, in_budget, kept, summary, wanted

RUN = Done("a", 1, False, False, 20.0, "pass", "", 2, dict.fromkeys(soak.FIGURES, 10.0), "abc", "2026-01-01")


def test_scenarios_take_turns_and_every_fifth_turn_has_controls() -> None:
    series = list(wanted({"a": 20, "b": 15}, 20, busy=False))
    assert series[:5] == [
        Wanted("a", 1, 20), Wanted("b", 1, 15), Wanted("a", 1, 20, control=True), Wanted("b", 1, 15, control=True),
        Wanted("a", 2, 20),
    ]  # fmt: skip
    assert sum(not one.control for one in series) == 40
    assert sum(one.control for one in series) == 8
    assert not any(one.control for one in wanted({"a": 20}, 20, busy=True))


def test_a_pass_is_good_and_a_doubt_only_beside_a_busy_core() -> None:
    assert good(RUN)
    assert not good(replace(RUN, verdict="fail"))
    assert not good(replace(RUN, verdict="inconclusive"))
    assert good(replace(RUN, verdict="inconclusive", busy=True))
    assert not good(replace(RUN, verdict="fail", busy=True))
    assert not good(replace(RUN, control=True))
    assert good(replace(RUN, control=True, told=0))


class Machine:
    """Stands in for the runs: each comes out as told, the rest pass."""

    def __init__(self, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.ran = log, list[Wanted]()
        self.told: dict[int, str | type[BaseException]] = {}
        monkeypatch.setattr(soak, "_run", self.run)
        self.patch = monkeypatch

    def run(self, one: Wanted) -> Done:
        self.ran.append(one)
        comes = self.told.get(len(self.ran), "pass")
        if not isinstance(comes, str):
            raise comes
        return replace(
            RUN, scenario=one.scenario, seed=one.seed, control=one.control, speed=one.speed, verdict=comes, told=0
        )

    def soak(self, *arguments: str) -> int:
        self.ran.clear()
        self.patch.setattr("sys.argv", ["soak", *arguments, "--log", str(self.log)])
        return soak.main()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "runs" / "soak.jsonl", monkeypatch)


def test_an_interrupted_series_goes_on_where_it_was(machine: Machine) -> None:
    machine.told = {2: KeyboardInterrupt}
    with pytest.raises(KeyboardInterrupt):
        machine.soak("cardinality", "--runs", "2", "--speed", "7")
    machine.told = {}
    assert machine.soak("cardinality", "--runs", "2", "--speed", "7") == 0
    assert machine.ran == [Wanted("cardinality", 1, 7, control=True), Wanted("cardinality", 2, 7)]
    assert [one.wanted for one in kept(machine.log)] == list(wanted({"cardinality": 7}, 2, busy=False))


def test_what_could_not_be_measured_is_tried_again_and_a_failure_is_not(machine: Machine) -> None:
    machine.told = {1: "inconclusive"}
    assert machine.soak("cardinality", "--runs", "2") == 1
    machine.told = {}
    assert machine.soak("cardinality", "--runs", "2") == 0
    assert [one.seed for one in machine.ran] == [1]
    machine.told = {1: "fail"}
    assert machine.soak("cardinality", "--runs", "3") == 1
    assert machine.soak("cardinality", "--runs", "3") == 1
    assert machine.ran == []


def test_another_speed_or_scenario_is_another_series(machine: Machine) -> None:
    machine.told = {1: "fail"}
    assert machine.soak("cardinality", "--runs", "1", "--speed", "7") == 1
    machine.told = {}
    assert machine.soak("cardinality", "--runs", "1", "--speed", "8") == 0
    assert machine.soak("label_leak", "--runs", "1", "--speed", "7") == 0
    assert len(machine.ran) == 2


@pytest.mark.parametrize(("delays", "kept_to"), [
    ([9.9, 10.0, 11.4], True), ([9.9, 10.0, 11.6], False), ([9.9, 10.1, 10.2], False), ([None], True),
])  # fmt: skip
def test_the_pipeline_has_a_budget(delays: list[float | None], kept_to: bool) -> None:
    runs = [replace(RUN, figures={**RUN.figures, "pipeline_delay_s": delay}) for delay in delays]
    assert in_budget(runs, "a") is kept_to
    assert in_budget([replace(one, busy=True) for one in runs], "a")


def test_the_summary_counts_what_did_not_pass_and_takes_no_figure_from_it() -> None:
    slow = replace(RUN, seed=3, verdict="fail", figures=dict.fromkeys(soak.FIGURES, 99.0))
    table = list(summary([RUN, slow, replace(RUN, control=True, told=0)]))
    assert table[3].startswith("| `a` | 20 | 1 to 3 | 1 pass, 1 fail | 4 | 10.0 / 10.0 / 10.0 |")
    assert table[3].endswith("| 1.00 / 1.00 / 1.00 |")
    assert table[4] == "control runs"
    assert table[-1] == "| `a` | 20 | 1 to 1 | 1 pass | 0 |"
