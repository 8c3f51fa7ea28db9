"""`lab new`, and the walk of CONTRIBUTING.md through it: each step done as printed, judged on recorded runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_layout import SCENARIOS
from walk import WALK, do, steps

from lab.catalog import alerts_in, find, names
from lab.cli import run_cli
from lab.events import Notified
from lab.history import History, Sample
from lab.install import find as find_program
from lab.journal import Recording, read
from lab.judge import Judgement, judge
from lab.lesson import diff_text, lesson_text
from lab.scenario import Phase, Verdict
from lab.signals import INACTIVE, alert_state

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDED = ROOT / "tests" / "recorded"
ALERT = "QueryIds"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> Path:
    """The starter that the walk begins with, by its own command."""
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"`lab (new \S+)`", WALK)
    assert run_cli(command.split()) == 0
    return tmp_path / "query-ids"


# What is made


def test_it_is_a_scenario_that_can_be_run(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "./query-ids", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "run of query_ids, native" in out
    assert f"{ALERT} delivered" in out
    assert alerts_in({"rules": (mine / "detect.rules.yml").read_text()}) == find(str(mine)).scenario.alerts == (ALERT,)


def test_no_name_of_the_template_is_left(mine: Path) -> None:
    files = [path for path in mine.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py", ".yml", ".md"}
    assert not [path for path in files if re.search("my.?scenario", path.read_text(), re.IGNORECASE)]
    assert lesson_text(mine).startswith("# Query ids\n")
    assert "lab run ./query-ids " in lesson_text(mine)


def test_it_has_all_the_parts_of_a_scenario(mine: Path) -> None:
    expected = {path.name for path in SCENARIOS[0].iterdir()} - {"variants", "__pycache__"}
    assert {path.name for path in mine.iterdir()} == expected
    for part in ("Symptom", "Mechanism", "Detection", "Fix", "Verify", "Prevent", "Try it", "Quiz"):
        assert f"\n## {part}\n" in lesson_text(mine)


def test_the_template_is_in_no_list() -> None:
    assert not {"starter", "my_scenario"} & set(names())


def test_what_it_prints_can_be_typed(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(["new", "second"])
    commands = re.findall(r"^  lab (.+)$", capsys.readouterr().out, re.MULTILINE)
    assert commands == ["run ./second --dry-run", "run ./second", "show ./second --diff"]
    assert [run_cli(command.split()) for command in (commands[0], commands[2])] == [0, 0]


@pytest.mark.parametrize(("folder", "said"), [
    ("Query", "no name of a scenario"), ("9lives", "no name of a scenario"), ("cardinality", "comes with the lab"),
    ("query-ids", "is there and not empty"), ("file", "is there and not empty"), ("file/below", "give a folder"),
    ("my scenario", "no name of a scenario; small letters, digits and _ or -, such as my_scenario"),
])  # fmt: skip
def test_what_can_be_no_new_scenario(folder: str, said: str, mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine / ".." / "file").write_text("mine")
    before = (mine / "scenario.py").read_text()
    capsys.readouterr()
    assert run_cli(["new", folder]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert (mine / "scenario.py").read_text() == before
    assert (mine / ".." / "file").read_text() == "mine"


def test_an_empty_folder_is_as_good_as_none(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third").mkdir()
    monkeypatch.chdir(tmp_path / "third")
    assert run_cli(["new", "."]) == 0
    assert find(str(tmp_path / "third")).scenario.name == "third"


def test_a_path_with_the_templates_name_in_it_stays(tmp_path: Path) -> None:
    folder = tmp_path / "my_scenario" / "x"
    assert run_cli(["new", str(folder)]) == 0
    assert f"lab run {folder} " in lesson_text(folder)


# The walk


def recorded(name: str, change: Callable[[Recording], History] | None = None) -> tuple[Any, History]:
    """A recorded run, as if its only detector were ours."""
    recording = read(RECORDED / f"{name}.jsonl")
    assert recording.header is not None
    theirs = recording.header.own_alerts[0]
    history = change(recording) if change else recording.history
    events = [replace(e, alert=ALERT) if isinstance(e, Notified) and e.alert == theirs else e for e in history.events]
    state, ours = alert_state(theirs), alert_state(ALERT)
    samples = [Sample(s.t, {ours if k == state else k: v for k, v in s.values.items()}) for s in history.samples]
    header = replace(recording.header, own_alerts=(ALERT,), watched_alerts=(ALERT,), foreign_rules=False)
    return header, History(samples, events)


def judged(folder: Path, name: str, change: Callable[[Recording], History] | None = None) -> Judgement:
    """The run judged by the scenario in a folder, at the traffic with which it was recorded."""
    header, history = recorded(name, change)
    load = find(name.split("/")[0]).scenario.load
    return judge(replace(find(str(folder)).scenario, load=load), header, history)


def unseen(recording: Recording) -> History:
    """The fault and no rule that fires."""
    assert recording.header is not None
    state = alert_state(recording.header.own_alerts[0])
    events = [e for e in recording.history.events if not isinstance(e, Notified)]
    fixed = next(e.t for e in events if getattr(e, "name", "") == Phase.FIXED.value)
    samples = [Sample(s.t, {**s.values, state: INACTIVE}) for s in recording.history.samples if s.t < fixed]
    return History(samples, [e for e in events if e.t < fixed])


def said_in_the_walk(judgement: Judgement) -> bool:
    return f"FAIL: {judgement.reason}\n" in WALK


def test_nothing_is_broken_yet(mine: Path) -> None:
    """`broken/` was as healthy as `fixed/`."""
    judgement = judged(mine, "missing_metrics/healthy")
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reason.startswith("onset not observed")
    assert said_in_the_walk(judgement)
    changed = [line for line in diff_text(find(str(mine))).splitlines() if re.match(r"[-+](?![-+])", line)]
    assert all(line[1:].startswith('"""TODO') for line in changed)


def test_broken_and_nobody_is_told(mine: Path) -> None:
    do(mine, "broken/metrics.py")
    assert '+            ["cache_status", "model", "status"],' in diff_text(find(str(mine)))
    judgement = judged(mine, "cardinality/pass", unseen)
    assert judgement.verdict is Verdict.FAIL
    assert said_in_the_walk(judgement)


@pytest.mark.parametrize(("name", "verdict"), [
    ("pass", Verdict.PASS), ("noop", Verdict.FAIL), ("drops_only_user_id", Verdict.FAIL), ("control", Verdict.PASS),
    ("no_users", Verdict.INCONCLUSIVE),
])  # fmt: skip
def test_once_filled_in_it_judges(name: str, verdict: Verdict, mine: Path) -> None:
    do(mine, *{step[0] for step in steps()})
    assert judged(mine, f"cardinality/{name}").verdict is verdict


def test_the_broken_service_has_a_series_for_every_query(mine: Path) -> None:
    from prometheus_client import CollectorRegistry

    from lab.rag.record import QueryRecord

    do(mine, "broken/metrics.py")
    series = {}
    for what in ("broken", "fixed"):
        scope: dict[str, Any] = {"__name__": what}
        exec(compile((mine / what / "metrics.py").read_text(), what, "exec"), scope)
        registry = CollectorRegistry()
        metrics = object.__new__(scope["Metrics"])
        metrics.registry = registry
        metrics.queries = metrics.declare_queries()
        for n in range(20):
            metrics.count_query(QueryRecord(f"q{n}", "me", "?", "/query", "miss", "gpt-4o", "success", 0.0, 0.1))
        series[what] = sum(sample.name == "rag_queries_total" for m in registry.collect() for sample in m.samples)
    assert series == {"broken": 20, "fixed": 1}


@pytest.mark.parametrize("filled", [False, True])
def test_its_rules_are_rules_and_pass_their_test(filled: bool, mine: Path) -> None:
    promtool = find_program("promtool").path
    if filled:
        do(mine, "detect.rules.yml", "detect.test.yml")
    assert run_cli(["run", str(mine), "--dry-run"]) == 0  # the lab can compress them
    tests = yaml.safe_load((mine / "detect.test.yml").read_text())["tests"]
    assert len(tests) == 1 + filled
    done = subprocess.run([promtool, "test", "rules", "detect.test.yml"], cwd=mine, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_walks_test_fails_without_its_rule(mine: Path) -> None:
    do(mine, "detect.test.yml")
    promtool = find_program("promtool").path
    done = subprocess.run([promtool, "test", "rules", "detect.test.yml"], cwd=mine, capture_output=True, text=True)
    assert done.returncode != 0
