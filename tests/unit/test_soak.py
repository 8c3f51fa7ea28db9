"""A long series of runs: its order, where it goes on, and what it takes for good."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests import soak
from tests.soak import Done, Wanted, good, kept, summary, wanted

RUN = Done("a", 1, False, False, 20.0, "pass", "", 2, dict.fromkeys(soak.FIGURES, 10.0), "abc", "2026-01-01")


def test_scenarios_take_turns_and_every_fifth_turn_has_controls() -> None:
    series = list(wanted(["a", "b"], 20, busy=False))
    assert series[:5] == [
        Wanted("a", 1), Wanted("b", 1), Wanted("a", 1, control=True), Wanted("b", 1, control=True), Wanted("a", 2),
    ]  # fmt: skip
    assert sum(not one.control for one in series) == 40
    assert sum(one.control for one in series) == 8
    assert not any(one.control for one in wanted(["a"], 20, busy=True))


def test_a_pass_is_good_and_a_doubt_only_beside_a_busy_core() -> None:
    assert good(RUN)
    assert not good(replace(RUN, verdict="fail"))
    assert not good(replace(RUN, verdict="inconclusive"))
    assert good(replace(RUN, verdict="inconclusive", busy=True))
    assert not good(replace(RUN, verdict="fail", busy=True))
    assert not good(replace(RUN, control=True))
    assert good(replace(RUN, control=True, told=0))


def test_an_interrupted_series_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, ran = tmp_path / "runs" / "soak.jsonl", []

    def run(one: Wanted, speed: float) -> Done:
        ran.append((one.seed, one.control, speed))
        if len(ran) == 2:
            raise KeyboardInterrupt
        return replace(RUN, seed=one.seed, control=one.control, told=0)

    monkeypatch.setattr(soak, "_run", run)
    monkeypatch.setattr("sys.argv", ["soak", "cardinality", "--runs", "2", "--speed", "7", "--log", str(log)])
    with pytest.raises(KeyboardInterrupt):
        soak.main()
    monkeypatch.setattr(soak, "_run", lambda one, speed: replace(run(one, speed), scenario="cardinality"))
    log.write_text(json.dumps(asdict(replace(RUN, scenario="cardinality"))) + "\n")
    assert soak.main() == 0
    assert ran[2:] == [(1, True, 7.0), (2, False, 7.0)]
    assert [one.wanted for one in kept(log)] == list(wanted(["cardinality"], 2, busy=False))


def test_the_summary_counts_what_did_not_pass_and_takes_no_figure_from_it() -> None:
    slow = replace(RUN, seed=3, verdict="fail", figures=dict.fromkeys(soak.FIGURES, 99.0))
    table = list(summary([RUN, slow, replace(RUN, control=True, told=0)]))
    assert table[3].startswith("| `a` | 1 to 3 | 1 pass, 1 fail | 4 | 10.0 / 10.0 / 10.0 |")
    assert table[4] == "control runs"
    assert table[-1] == "| `a` | 1 to 1 | 1 pass | 0 |"
