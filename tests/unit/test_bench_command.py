"""`lab bench` on recorded runs: what is run, repeated, kept and compared, the table, and the exit code."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bench_corpus import RECORDED
from histories import header
from test_recorded import judged

import lab.commands.run
from lab.bench.figures import BY_NAME
from lab.bench.markdown import code, number
from lab.bench.results import BenchRun, load, save
from lab.catalog import Found, find
from lab.cli import run_cli
from lab.errors import OverTime
from lab.journal import Header
from lab.options import Options
from lab.outcome import Outcome, outcome
from lab.scenario import Scenario

Ran = Callable[[Any, Any], Outcome]
BASELINE = Path(__file__).resolve().parent.parent / "recorded" / "bench" / "cardinality.json"


def played(name: str, folder: Path, **changes: Any) -> Outcome:
    """The outcome of a recorded run, in place of one with servers."""
    judgement, recording = judged(f"cardinality/{name}")
    assert recording.header is not None
    found = outcome(recording.header, recording.history, judgement)
    return replace(found, run_dir=str(folder), **changes)


@pytest.fixture(autouse=True)
def apart(state: Path) -> None:
    """The user's register of runs is left alone."""


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, int]]:
    """Runs are not run but pass; the list has their scenario and seed."""
    ran: list[tuple[str, int]] = []
    stub(monkeypatch, tmp_path, ran, lambda _: "pass")
    return ran


@dataclass(frozen=True)
class Planned:
    """What a plan is to a benchmark; a real one looks for servers."""

    scenario: Scenario
    options: Options
    header: Header


def planned(found: Found, options: Options) -> Planned:
    versions = {"lab": "0", "prometheus": "2.42.0", "alertmanager": "0.25.0"}
    return Planned(found.scenario, options, header(speed=options.speed, versions=versions))


def stub(monkeypatch: pytest.MonkeyPatch, folder: Path, ran: list[tuple[str, int]], how: Callable[[int], str]) -> None:
    def execute(plan: Any, _story: Any) -> Outcome:
        ran.append((plan.scenario.label, plan.header.seed))
        assert plan.options.seed == plan.header.seed
        name = how(len(ran))
        return played("pass", folder, interrupted=True) if name == "interrupted" else played(name, folder)

    monkeypatch.setattr("lab.commands.run._execute", execute)
    monkeypatch.setattr("lab.plan.make", planned)
    monkeypatch.chdir(folder)


def saved(factor: float, folder: Path) -> Path:
    """The recorded runs with another time to detect."""
    runs = tuple(
        BenchRun(r.seed, {k: v * (factor if k == "time_to_detect_s" else 1) for k, v in r.figures.items()})
        for r in RECORDED.runs["cardinality"]
    )
    path = folder / f"{factor}.json"
    save(replace(RECORDED, runs={"cardinality": runs}), path)
    return path


def test_scenarios_take_turns_and_all_seeds_come(seeds: list[tuple[str, int]], tmp_path: Path) -> None:
    assert run_cli(["bench", "cardinality", "alert_storm", "--runs", "3", "--save", "b.json"]) == 0
    assert seeds == [(name, seed) for seed in (1, 2, 3) for name in ("cardinality", "alert_storm")]
    found = load(tmp_path / "b.json")
    assert {label: [run.seed for run in runs] for label, runs in found.runs.items()} == {
        "cardinality": [1, 2, 3], "alert_storm": [1, 2, 3],
    }  # fmt: skip
    assert {"prometheus", "alertmanager", "lab", "python", "kernel"} <= set(found.software)
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "pass"


def test_without_a_name_all_monitoring_scenarios_are_run(seeds: list[tuple[str, int]]) -> None:
    assert run_cli(["bench", "--runs", "1"]) == 0
    assert len({name for name, _ in seeds}) == len(seeds) >= 5


def test_an_interrupted_series_is_kept_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, int]] = []
    stub(monkeypatch, tmp_path, ran, lambda n: "interrupted" if n == 3 else "pass")
    command = ["bench", "cardinality", "--runs", "4", "--save", "b.json"]
    assert run_cli(command) == 130
    assert [run.seed for run in load(tmp_path / "b.json").runs["cardinality"]] == [1, 2]
    assert run_cli(command) == 2
    assert "--save b.json: is there already" in capsys.readouterr().err
    assert run_cli([*command, "--resume"]) == 0
    assert [seed for _, seed in ran] == [1, 2, 3, 3, 4]
    assert run_cli([*command, "--resume", "--speed", "10"]) == 2


def test_inconclusive_runs_are_repeated_one_in_four_and_then_make_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[tuple[str, int]] = []
    stub(monkeypatch, tmp_path, ran, lambda n: "no_users" if n in (2, 4) else "pass")
    assert run_cli(["bench", "cardinality", "--runs", "8"]) == 0
    assert Counter(seed for _, seed in ran) == {2: 2, 3: 2, **dict.fromkeys((1, 4, 5, 6, 7, 8), 1)}
    ran.clear()
    stub(monkeypatch, tmp_path, ran, lambda n: "no_users" if n < 3 else "pass")
    assert run_cli(["bench", "cardinality", "--runs", "3", "--save", "few.json"]) == 3
    assert [run.seed for run in load(tmp_path / "few.json").runs["cardinality"]] == [2, 3]


def test_a_run_that_fails_is_not_measured_and_fails_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub(monkeypatch, tmp_path, [], lambda n: "noop" if n == 2 else "pass")
    assert run_cli(["bench", "cardinality", "--runs", "3", "--save", "b.json"]) == 1
    assert [run.seed for run in load(tmp_path / "b.json").runs["cardinality"]] == [1, 3]


def test_a_run_that_fails_fails_a_comparison_that_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for how, expected in (("pass", 0), ("noop", 1)):
        stub(monkeypatch, tmp_path, [], lambda n, how=how: how if n == 9 else "pass")
        command = ["bench", "cardinality", "--runs", "9", "--save", f"{how}.json"]
        assert run_cli([*command, *(["--compare", "pass.json"] if how == "noop" else [])]) == expected
    assert "0 worse, 0 better, 10 same" in capsys.readouterr().out


def test_runs_are_compared_with_a_baseline(seeds: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    code_ = run_cli(["bench", "cardinality", "--runs", "10", "--compare", str(BASELINE)])
    told = capsys.readouterr()
    assert code_ == 1  # ten times the same recorded run, with an earlier and heavier service: its traffic is other
    assert told.out.startswith("### lab bench: ")
    assert "cardinality seed 10: pass" in told.err


@pytest.mark.parametrize(("factor", "expected", "title"), [
    (1.0, 0, "0 worse, 0 better, 10 same"),
    (1.3, 1, "1 worse, 0 better, 9 same"), (0.7, 0, "0 worse, 1 better, 9 same"),
])  # fmt: skip
def test_two_files_are_compared(
    factor: float, expected: int, title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = saved(factor, tmp_path)
    assert run_cli(["bench", "--saved", str(now), "--compare", str(BASELINE)]) == expected
    table = capsys.readouterr().out
    assert table.startswith(f"### lab bench: {title}\n")
    if factor == 1.3:
        row = next(line for line in table.splitlines() if "**worse**" in line)
        assert row.startswith("| `cardinality` | time to detect | 10.4 s (13) | 13.5 s (13) | +30% [+")
    assert "exact two-sided rank-sum test" in table
    assert "Holm's correction for 10 figures" in table


def test_a_coarser_tolerance_lets_it_pass(tmp_path: Path) -> None:
    now = str(saved(1.3, tmp_path))
    assert run_cli(["bench", "--saved", now, "--compare", str(BASELINE), "--tolerance", "40"]) == 0


def test_another_machine_is_warned_of_in_the_table_and_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    save(replace(RECORDED, machine=replace(RECORDED.machine, cores=64)), path)
    assert run_cli(["bench", "--saved", str(path), "--compare", str(BASELINE)]) == 0
    told = capsys.readouterr()
    assert "> **Warning:** the baseline is from another machine (cores: 2, now 64)" in told.out
    assert "lab: the baseline is from another machine" in told.err


def test_too_few_runs_are_in_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "few.json"
    save(replace(RECORDED, runs={"cardinality": RECORDED.runs["cardinality"][:3]}), path)
    assert run_cli(["bench", "--saved", str(path), "--compare", str(path)]) == 3
    assert "> **In doubt:** cardinality: 3 and 3 runs can show no change of 10 figures" in capsys.readouterr().out


def test_a_table_of_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["bench", "cardinality", "--saved", str(BASELINE)]) == 0
    assert "| `cardinality` | time to detect | 13 | 10.4 s | 416 ms | 10.2 s to 10.6 s |" in capsys.readouterr().out


@pytest.mark.parametrize(("args", "why"), [
    (["--saved", str(BASELINE), "--save", "x.json"], "--saved: takes figures from a file"),
    (["--resume"], "--resume: goes on with the file of --save"),
    (["alert_storm", "--saved", str(BASELINE)], "not in the file of --saved; it has cardinality"),
    (["--compare", "none.json"], "none.json: No such file"),
    (["cardinalty"], "did you mean cardinality?"),
    (["--runs", "0"], "--runs"),
    *(([f"--{name}", value, "--saved", str(BASELINE)], f"--{name}: is for runs; --saved makes none; leave it away")
      for name, value in (("runs", "3"), ("speed", "5"), ("users", "5"), ("runtime", "native"), ("out", "x"),
                          ("max-wall", "60"), ("prometheus-bin", "x"), ("alertmanager-bin", "x"))),
    (["--saved", str(BASELINE), "--tolerance", "5"], "--tolerance: is of a comparison; add --compare FILE"),
    (["--tolerance", "5"], "--tolerance: is of a comparison; add --compare FILE"),
    (["--tolerance", "nan", "--compare", str(BASELINE)], "'--tolerance': nan is no finite number"),
    *((["--max-wall", value], "'--max-wall'") for value in ("nan", "inf", "0", "-5", "1e9", "soon")),
    (["cardinality", "--speed", "20", "--compare", str(BASELINE)], "the baseline has speed 15.0, this has 20.0"),
    (["alert_storm", "--compare", str(BASELINE)], "the baseline has no figure of these scenarios"),
    (["cardinality", "--save", f"{'x' * 300}.json"], "File name too long; give a file that can be written"),
    (["cardinality", "--save", str(BASELINE / "b.json")], "Not a directory; give a file that can be written"),
])  # fmt: skip
def test_bad_usage_is_refused_before_anything_runs(
    args: list[str], why: str, seeds: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["bench", *args]) == 2
    assert why in capsys.readouterr().err
    assert not seeds


def test_variables_and_the_file_of_settings_are_no_bad_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_SPEED", "10")
    monkeypatch.setenv("LAB_MAX_WALL", "600")
    (tmp_path / "lab.toml").write_text("[bench]\nruns = 20\ntolerance = 5\n")
    assert run_cli(["bench", "--saved", str(BASELINE)]) == 0
    monkeypatch.setenv("LAB_MAX_WALL", "nan")
    assert run_cli(["bench"]) == 2
    assert "the variable LAB_MAX_WALL: nan is no finite number" in capsys.readouterr().err


# --max-wall


class Clock:
    """Each run takes ten seconds, or as long as it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.now, self.given, self.ran = 0.0, [], []  # type: tuple[float, list[float | None], list[tuple[str, int]]]
        stub(monkeypatch, folder, self.ran, self._how)
        stubbed = lab.commands.run._execute

        def execute(plan: Any, story: Any) -> Outcome:
            self.given.append(plan.options.max_wall_s)
            return stubbed(plan, story)

        monkeypatch.setattr("lab.commands.run._execute", execute)
        monkeypatch.setattr("lab.bench.runs.time.monotonic", lambda: self.now)

    def _how(self, _number: int) -> str:
        limit = self.given[-1]
        self.now += 10.0 if limit is None else min(10.0, limit)
        return "pass" if limit is None or limit >= 10.0 else "no_users"


def test_a_series_is_over_when_its_time_is_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch, tmp_path)
    command = ["bench", "cardinality", "--runs", "5", "--save", "b.json"]
    assert run_cli([*command, "--max-wall", "25"]) == 3
    told = capsys.readouterr()
    said = "lab: --max-wall: 25 s are over, 3 of 5 runs were ended or not begun; add --resume to go on"
    assert told.err.splitlines().count(said) == 1
    assert "| `cardinality` | time to detect | 2 |" in told.out
    assert clock.given == [25.0, 15.0, 5.0]
    assert [seed for _, seed in clock.ran] == [1, 2, 3]
    assert [run.seed for run in load(tmp_path / "b.json").runs["cardinality"]] == [1, 2]
    assert run_cli([*command, "--resume", "--max-wall", "30"]) == 0
    assert [seed for _, seed in clock.ran] == [1, 2, 3, 3, 4, 5]
    assert "--max-wall" not in capsys.readouterr().err


def test_a_series_that_measured_nothing_in_its_time_is_inconclusive_and_no_bad_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Clock(monkeypatch, tmp_path)
    assert run_cli(["bench", "cardinality", "--compare", str(BASELINE), "--max-wall", "5"]) == 3
    told = capsys.readouterr()
    assert "10 of 10 runs were ended or not begun; give more, or --save FILE" in told.err
    assert "**In doubt:** cardinality: was measured for the baseline and is not now" in told.out


def test_the_end_of_the_time_before_a_run_has_an_outcome_ends_the_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch, tmp_path)

    def execute(plan: Any, _story: Any) -> Outcome:
        clock.now += plan.options.max_wall_s
        raise OverTime("not over")

    monkeypatch.setattr("lab.commands.run._execute", execute)
    assert run_cli(["bench", "cardinality", "--max-wall", "25"]) == 3
    assert "--max-wall: 25 s are over, 10 of 10 runs" in capsys.readouterr().err


def test_runs_have_no_limit_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, tmp_path)
    assert run_cli(["bench", "cardinality", "--runs", "2"]) == 0
    assert clock.given == [None, None]


# A scenario of the baseline that is not there any more


def test_a_scenario_that_is_gone_is_in_doubt_unless_others_are_named(
    seeds: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tmp_path / "both.json"
    runs = RECORDED.runs["cardinality"]
    save(replace(RECORDED, runs={"cardinality": runs, "rate_limit": runs}), both)
    command = ["bench", "--saved", str(BASELINE), "--compare", str(both)]
    assert run_cli(command) == 3
    assert "**In doubt:** rate_limit: was measured for the baseline and is not now" in capsys.readouterr().out
    assert run_cli([*command, "cardinality"]) == 0
    for names, doubted in ((["cardinality"], 0), ([], 1)):
        run_cli(["bench", *names, "--runs", "7", "--compare", str(both)])
        assert capsys.readouterr().out.count("**In doubt:** rate_limit") == doubted
    assert seeds


def test_a_scenario_that_the_baseline_has_not_is_told_and_in_doubt_where_it_was_named(
    seeds: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["bench", "cardinality", "--runs", "7", "--save", "b.json"]) == 0
    command = ["bench", "--runs", "7", "--compare", "b.json"]
    for names, kind, ends in ((["cardinality", "label_leak"], "In doubt", 3), ([], "Warning", 0)):
        assert run_cli([*command, *names]) == ends
        assert f"**{kind}:** label_leak: is not in the baseline, and is not compared" in capsys.readouterr().out
    assert seeds


def test_of_two_scenarios_that_are_called_the_same_none_is_passed_over(
    seeds: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(find("cardinality").folder, mine, ignore=shutil.ignore_patterns("__pycache__"))
    assert run_cli(["bench", "cardinality", str(mine), "--runs", "1"]) == 2
    said = capsys.readouterr().err
    assert f"{mine}: is called cardinality, as " in said
    assert not seeds
    assert run_cli(["bench", "cardinality", "cardinality", "--runs", "1"]) == 0
    assert seeds == [("cardinality", 1)]


def test_a_file_of_other_runs_is_not_gone_on_with_and_what_differs_is_said(
    seeds: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, command = tmp_path / "b.json", ["bench", "cardinality", "--save", "b.json", "--resume"]
    assert run_cli([*command, "--runs", "1"]) == 0
    begun = load(path)
    machine = replace(begun.machine, memory_mib=begun.machine.memory_mib - 1)
    save(replace(begun, machine=machine), path)
    assert run_cli([*command, "--runs", "2"]) == 0
    save(replace(begun, software={**begun.software, "kernel": "5.0"}), path)
    capsys.readouterr()
    assert run_cli([*command, "--runs", "3"]) == 2
    assert "b.json: is of other runs (kernel: 5.0, now " in (said := capsys.readouterr().err)
    assert "give --save a new file" in said
    assert len(seeds) == 2


def test_what_a_baseline_says_commands_no_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    theirs = replace(RECORDED, machine=replace(RECORDED.machine, cpu="x\n::error::y \x1b[2J"))
    save(theirs, tmp_path / "theirs.json")
    run_cli(["bench", "--saved", str(BASELINE), "--compare", str(tmp_path / "theirs.json")])
    said = capsys.readouterr()
    assert "CPU: x ::error::y" in said.err
    assert "\x1b" not in said.out + said.err
    assert not [line for line in (said.out + said.err).splitlines() if line.startswith("::")]


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["schema", "bench"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["format"] == {"const": 1}


def test_text_from_a_file_breaks_no_table() -> None:
    assert code("a|b`c\n<script>\x1b[31m") == "`a/b'c (script)\N{REPLACEMENT CHARACTER}[31m`"


@pytest.mark.parametrize(("value", "name", "text"), [
    (10.42, "overhead_s", "10.4 s"), (0.0241, "latency_p95_s", "24.1 ms"), (0.0, "overhead_s", "0.00 ms"),
    (123.4, "overhead_s", "123 s"), (1_250_000.0, "series_per_s", "1250k/s"), (599.6, "requests_per_s", "600/s"),
    (177.9, "peak_rss_patient_mib", "178 MiB"),
])  # fmt: skip
def test_numbers_have_three_digits_and_a_unit(value: float, name: str, text: str) -> None:
    assert number(value, BY_NAME[name]) == text


def test_what_else_the_file_has_is_not_compared(
    seeds: list[tuple[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["bench", "cardinality", "alert_storm", "--runs", "8", "--save", "b.json"]) == 0
    assert run_cli(["bench", "cardinality", "--runs", "8", "--save", "base.json"]) == 0
    capsys.readouterr()
    command = ["bench", "cardinality", "--runs", "8", "--save", "b.json", "--resume", "--compare", "base.json"]
    assert run_cli(command) == 0
    assert "alert_storm" not in capsys.readouterr().out
    assert set(load(tmp_path / "b.json").runs) == {"cardinality", "alert_storm"}


def test_a_scenario_of_the_baseline_of_which_all_runs_fail_is_a_failure_and_no_bad_usage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, int]] = []
    stub(monkeypatch, tmp_path, ran, lambda _: "pass")
    assert run_cli(["bench", "cardinality", "--runs", "2", "--save", "base.json"]) == 0
    ran.clear()
    stub(monkeypatch, tmp_path, ran, lambda n: "noop" if ran[-1][0] == "cardinality" else "pass")
    assert run_cli(["bench", "cardinality", "alert_storm", "--runs", "2", "--compare", "base.json"]) == 1
    assert "cardinality: was measured for the baseline and is not now" in capsys.readouterr().err


def test_a_disk_that_is_full_by_now_costs_neither_table_nor_what_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, int]] = []

    def fills(n: int) -> str:
        if n == 1:
            (tmp_path / "b.json").unlink()
            (tmp_path / "b.json").mkdir()
        return "pass"

    stub(monkeypatch, tmp_path, ran, fills)
    assert run_cli(["bench", "cardinality", "--runs", "2", "--save", "b.json"]) == 3
    told = capsys.readouterr()
    assert "| `cardinality` |" in told.out
    assert "lab: --save b.json: Is a directory" in told.err


def test_a_link_to_a_baseline_stays_one(seeds: list[tuple[str, int]], tmp_path: Path) -> None:
    (tmp_path / "shared.json").write_text("")
    (tmp_path / "shared.json").unlink()
    (tmp_path / "link.json").symlink_to(tmp_path / "shared.json")
    assert run_cli(["bench", "cardinality", "--runs", "1", "--save", "link.json"]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert len(load(tmp_path / "shared.json").runs["cardinality"]) == 1
