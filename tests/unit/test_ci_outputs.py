"""What a CI system reads: JUnit, step summary, annotations; and a run that has only so much time."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import header
from junitparser import JUnitXml
from rich.console import Console
from test_recorded import judged

import lab.runner
from lab.cli import run_cli
from lab.commands.many import run_many
from lab.commands.reports import write_json
from lab.commands.run import _execute
from lab.errors import LabError, OverTime
from lab.judge import Judgement, PhaseResult
from lab.options import Options
from lab.outcome import Delays, Outcome, outcome
from lab.plan import Plan
from lab.report.ci import CiOutputs
from lab.report.github import MAX_ANNOTATIONS, commands, summary
from lab.scenario import CheckResult, Load, Mode, Phase, Result, Scenario, Verdict

HOSTILE = "a|b <script>\x1b[31m\n::error::x%0A @all `c` [x](http://y)\x00\u202e]]>"


def of_recording(name: str) -> Outcome:
    judgement, recording = judged(name)
    assert recording.header is not None
    return outcome(recording.header, recording.history, judgement)


def made(*results: CheckResult, verdict: Verdict = Verdict.PASS, reason: str = "", **more: Any) -> Outcome:
    judgement = Judgement((PhaseResult(Phase.STEADY, 100.0, 105.0, results),), verdict, reason)
    return Outcome(header(**more), judgement, Delays(12.0, 9.0, 3.0, 7.0, 20.0), None, (), (), 25.0)


def check(result: Result = Result.PASS, name: str = "c", **more: Any) -> CheckResult:
    return CheckResult(name, Mode.EVENTUALLY, "expected", "observed", result, **more)


def outputs(folder: Path, **environ: str) -> CiOutputs:
    return CiOutputs(folder / "out.xml", environ, io.StringIO())


def written(folder: Path, *outcomes: Outcome) -> JUnitXml:
    ci = outputs(folder)
    for one in outcomes:
        ci.add(one)
    return JUnitXml.fromfile(str(folder / "out.xml"))


# JUnit


@pytest.mark.parametrize(("result", "attribute"), [
    (Result.PASS, "is_passed"), (Result.FAIL, "is_failure"), (Result.INCONCLUSIVE, "is_error"),
    (Result.SKIPPED, "is_skipped"),
])  # fmt: skip
def test_a_case_is_what_its_check_is(result: Result, attribute: str, tmp_path: Path) -> None:
    case = next(iter(next(iter(written(tmp_path, made(check(result, reason="why")))))))
    kinds = ("is_passed", "is_failure", "is_error", "is_skipped")
    assert [kind for kind in kinds if getattr(case, kind)] in ([attribute], ["is_passed", attribute])


@pytest.mark.parametrize(("name", "red"), [
    ("cardinality/pass", (0, 0)), ("cardinality/noop", (1, 1)), ("cardinality/no_users", (0, 1)),
    ("alert_storm/control", (0, 0)),
])  # fmt: skip
def test_the_file_is_red_when_the_run_is(name: str, red: tuple[int, int], tmp_path: Path) -> None:
    found = written(tmp_path, of_recording(name))
    assert (min(found.failures, 1), min(found.errors, 1)) == red
    suite = next(iter(found))
    assert suite.name.startswith(name.split("/")[0])
    assert suite.name.endswith("--control") == name.endswith("control")
    assert found.tests == len(of_recording(name).judgement.results()) + 1


def test_a_verdict_that_no_check_explains_is_red_too(tmp_path: Path) -> None:
    strict = made(check(Result.SKIPPED), verdict=Verdict.INCONCLUSIVE, reason="skipped, and --strict")
    found = written(tmp_path, strict, replace(made(check()), interrupted=True))
    assert (found.failures, found.errors) == (0, 2)


def test_times_are_properties(tmp_path: Path) -> None:
    result = check(at=103.25, since=101.5)
    written(tmp_path, made(result, started_at=1.7e9))
    suite = ET.parse(tmp_path / "out.xml").getroot().find("testsuite")
    assert suite is not None
    said = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert (said["time_to_detect_s"], said["time_to_recover_s"], said["speed"]) == ("12.000", "7.000", "15")
    assert (said["verdict"], said["exit_code"], said["version.lab"]) == ("pass", "0", "0")
    case = suite.find("testcase")
    assert case is not None
    assert (case.get("classname"), case.get("name"), case.get("time")) == ("lab.x.steady", "c", "3.25")
    told = {p.get("name"): p.get("value") for p in case.findall("properties/property")}
    assert told == {"mode": "eventually", "expected": "expected", "observed": "observed", "since_s": "1.500"}
    assert (suite.get("time"), suite.get("timestamp")) == ("25.0", "2023-11-14T22:13:20+00:00")


def test_hostile_text_stays_text_in_xml(tmp_path: Path) -> None:
    bad = replace(check(Result.FAIL, name=HOSTILE), observed=HOSTILE, expected=HOSTILE, reason=HOSTILE)
    case = next(iter(next(iter(written(tmp_path, made(bad, verdict=Verdict.FAIL, reason=HOSTILE))))))
    assert "<script>" in case.name
    assert not {"\x00", "\x1b", "\n"} & set((tmp_path / "out.xml").read_text().split("<testcase")[1].split(">")[0])


def test_it_is_there_after_each_run_and_has_those_before(tmp_path: Path) -> None:
    ci = outputs(tmp_path)
    for number in (1, 2):
        ci.add(made(check()))
        assert len(list(JUnitXml.fromfile(str(tmp_path / "out.xml")))) == number
    assert [path.name for path in tmp_path.iterdir()] == ["out.xml"]


def test_a_file_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "out.xml").mkdir()
    with pytest.raises(LabError, match="--junit"):
        outputs(tmp_path).add(made(check()))


# GitHub


def test_without_its_variables_nothing_is_said_to_github(tmp_path: Path) -> None:
    ci = outputs(tmp_path)
    ci.add(made(check(Result.FAIL)))
    ci.not_begun("y", "why")
    assert isinstance(ci.out, io.StringIO)
    assert ci.out.getvalue() == ""
    assert not (tmp_path / "summary.md").exists()


def test_a_summary_for_each_run_is_appended(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    ci = outputs(tmp_path, GITHUB_STEP_SUMMARY=str(page))
    ci.add(of_recording("cardinality/noop"))
    assert page.read_text().startswith("before\n### ❌ cardinality: fail: ")
    ci.add(of_recording("cardinality/pass"))
    text = page.read_text()
    assert "\n### ✅ cardinality: pass\n" in text
    assert "no space left on device" in text
    assert "Time to detect " in text


def test_a_summary_has_every_check_and_only_guards_that_do_not_hold() -> None:
    text = summary(made(check(), check(Result.FAIL, name="d"), check(name="g", guard=True)))
    assert [line.split(" | ")[1:3] for line in text.splitlines() if line.startswith("| ")][1:] == [
        ["steady", "c"],
        ["steady", "d"],
    ]


def test_a_summary_stays_under_what_github_takes(tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("x" * 899_900)
    ci = outputs(tmp_path, GITHUB_STEP_SUMMARY=str(page))
    ci.add(made(*[check(name=f"check {n}") for n in range(50)]))
    assert page.read_text().endswith("### ✅ x: pass\n")


def test_a_summary_that_can_not_be_written_loses_no_verdict(tmp_path: Path) -> None:
    ci = outputs(tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path))
    ci.add(made(check()))
    assert isinstance(ci.out, io.StringIO)
    assert "GITHUB_STEP_SUMMARY" in ci.out.getvalue()


def test_each_failed_check_is_an_annotation(tmp_path: Path) -> None:
    ci = outputs(tmp_path, GITHUB_ACTIONS="true")
    ci.add(made(check(Result.INCONCLUSIVE, name="a"), check(), check(Result.FAIL, name="b, c"), verdict=Verdict.FAIL))
    assert isinstance(ci.out, io.StringIO)
    assert ci.out.getvalue() == "::error title=x%3A b%2C c::expected expected; observed observed\n"


def test_a_doubt_is_one_annotation_and_a_pass_none() -> None:
    assert commands(made(check())) == []
    assert commands(made(check(Result.INCONCLUSIVE), verdict=Verdict.INCONCLUSIVE, reason="why")) == [
        "::warning title=x::why"
    ]
    assert commands(replace(made(), interrupted=True)) == ["::warning title=x::the run was interrupted"]


def test_no_more_annotations_than_github_shows() -> None:
    found = commands(made(*[check(Result.FAIL, name=f"{n}") for n in range(12)]))
    assert len(found) == MAX_ANNOTATIONS
    assert found[-1] == "::notice title=x::and 3 more checks"


def test_hostile_text_stays_text_at_github() -> None:
    bad = replace(check(Result.FAIL, name=HOSTILE), observed=HOSTILE, expected=HOSTILE, reason=HOSTILE)
    found = made(bad, verdict=Verdict.FAIL, reason=HOSTILE)
    (line,) = commands(found)
    assert line.count("::") >= 2
    assert "\n" not in line
    assert "%0A" not in line
    assert "%250A" in line
    text = summary(replace(found, evidence=(HOSTILE,)))
    assert "<script>" not in text
    assert "](http" not in text
    assert "\x1b" not in text
    row = next(line for line in text.splitlines() if line.startswith("| ❌"))
    assert row.replace("\\|", "").count("|") == 6


# A run that has only so much time


def plan(name: str = "x", max_wall_s: float | None = None) -> Plan:
    scenario = Scenario(name, "t", Load(), (), (), (), (), alerts=())
    options = Options(max_wall_s=max_wall_s)
    return Plan(None, scenario, options, None, {}, None, None, header(scenario=name))  # type: ignore[arg-type]


def test_the_end_of_its_time_reaches_a_run_wherever_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Waiting:
        def __init__(self, *_: object) -> None:
            pass

        def execute(self) -> None:
            threading.Event().wait(20)

    monkeypatch.setattr(lab.runner, "Run", Waiting)
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(OverTime, match="--max-wall ended it") as caught:
        _execute(plan(max_wall_s=0.1), None)  # type: ignore[arg-type]
    assert caught.value.exit_code == 3
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def many(folder: Path, ci: CiOutputs, *plans: Plan) -> tuple[int, list[tuple[str, float | None]], str]:
    """Exit code, the runs that were begun with the time each was given, and what was told."""
    begun: list[tuple[str, float | None]] = []

    def execute(plan: Plan, _: object) -> Outcome:
        begun.append((plan.scenario.name, plan.options.max_wall_s))
        if plan.options.max_wall_s:
            threading.Event().wait(plan.options.max_wall_s + 0.01)
        return replace(made(check()), run_dir=str(folder))

    told = io.StringIO()
    kept = [replace(plan, options=replace(plan.options, out=folder / "runs")) for plan in plans]
    code = run_many(kept, execute, Console(file=told, width=200), quiet=True, json_to=str(folder / "all.json"), ci=ci)
    return code, begun, told.getvalue()


def test_several_runs_share_the_time_and_what_is_not_begun_is_inconclusive(tmp_path: Path) -> None:
    ci = outputs(tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    code, begun, told = many(tmp_path, ci, plan("a", 0.2), plan("b", 0.2))
    assert code == 3
    assert "### ❔ b: inconclusive: not begun" in (tmp_path / "summary.md").read_text()
    verdicts = [(one["verdict"], one["reason"]) for one in json.loads((tmp_path / "all.json").read_text())]
    assert verdicts == [("pass", ""), ("inconclusive", "not begun: --max-wall 0 s are over")]
    ((name, limit),) = begun
    assert name == "a"
    assert limit == pytest.approx(0.2, abs=0.1)
    assert "b: not begun: --max-wall" in told
    found = JUnitXml.fromfile(str(tmp_path / "out.xml"))
    assert [suite.name for suite in found] == ["x", "b"]
    assert (found.failures, found.errors) == (0, 1)
    assert isinstance(ci.out, io.StringIO)
    assert ci.out.getvalue() == "::warning title=b::not begun: --max-wall 0 s are over\n"


def test_a_time_that_is_over_before_a_run_has_an_outcome_loses_nothing_of_the_others(tmp_path: Path) -> None:
    def execute(plan: Plan, _: object) -> Outcome:
        if plan.scenario.name == "b":
            raise OverTime("not over when --max-wall ended it, after 20 s")
        return replace(made(check()), run_dir=str(tmp_path))

    plans = [replace(one, options=replace(one.options, out=tmp_path / "runs")) for one in map(plan, ("a", "b", "c"))]
    target, ci = tmp_path / "all.json", outputs(tmp_path)
    code = run_many(plans, execute, Console(file=io.StringIO()), quiet=True, json_to=str(target), ci=ci)
    assert code == 3
    found = [(one["scenario"], one["verdict"], one["reason"]) for one in json.loads(target.read_text())]
    assert [verdict for _, verdict, _ in found] == ["pass", "pass", "inconclusive"]
    assert found[-1] == ("b", "inconclusive", "not over when --max-wall ended it, after 20 s")


def test_a_verdict_that_cannot_be_kept_is_told_and_is_no_less_a_verdict(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").mkdir()
    code, _, told = many(tmp_path, outputs(tmp_path), plan("a"))
    assert code == 0
    assert f"verdict.json: Is a directory; `lab analyze {tmp_path}` judges the run again" in told


def test_rules_that_cannot_be_kept_are_told_of(tmp_path: Path) -> None:
    from lab.answer import Answer
    from lab.catalog import find
    from lab.commands.reports import keep_answer

    told = io.StringIO()
    gone = tmp_path / "gone"
    keep_answer(Answer(find("cardinality"), rules="groups: []"), gone, Console(file=told, width=200))
    assert told.getvalue() == f"{gone}: No such file or directory; your rules are not kept there; the verdict stands\n"


def test_json_that_cannot_be_written_any_more_is_one_line_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"--json .*: Is a directory; `lab analyze RUN --json FILE` writes it") as caught:
        write_json({}, str(tmp_path))
    assert caught.value.exit_code == 3


def test_without_a_limit_all_are_begun_without_one(tmp_path: Path) -> None:
    code, begun, _ = many(tmp_path, outputs(tmp_path), plan("a"), plan("b"))
    assert (code, begun) == (0, [("a", None), ("b", None)])


# The command line


@pytest.mark.parametrize("value", ["0", "-1", "soon", "inf", "nan", "1e300"])
def test_a_limit_that_is_none_is_bad_usage(value: str, state: Path) -> None:
    assert run_cli(["run", "x", "--max-wall", value]) == 2


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_file_that_can_not_be_written_is_refused_before_the_run(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    monkeypatch.setattr("lab.commands.run.make", lambda *_: plan())
    for target in (tmp_path / "no" / "file", tmp_path / ("x" * 300)):
        assert run_cli(["run", "cardinality", option, str(target)]) == 2
        assert f"{option} {tmp_path}" in (said := capsys.readouterr().err)
        assert said.endswith("give a file that can be written\n")


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_run_that_is_refused_leaves_no_empty_file(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    monkeypatch.setattr("lab.commands.run.make", lambda *_: replace(plan(), options=Options(out=Path("/proc/no"))))
    target, kept = tmp_path / "new", tmp_path / "kept"
    kept.write_text("mine")
    assert run_cli(["run", "cardinality", option, str(target), "--quiet"]) == 2
    assert run_cli(["run", "cardinality", option, str(kept), "--quiet"]) == 2
    assert not target.exists()
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("where", ["keep_report", "execute", "keep_index"])
def test_an_interrupt_between_two_runs_loses_nothing_of_those_that_were_made(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_runs: list[str] = []

    def end(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def execute(plan: Plan, _: object) -> Outcome:
        if made_runs and where == "execute":  # before the run answers signals itself
            raise KeyboardInterrupt
        made_runs.append(plan.scenario.name)
        return replace(made(check()), run_dir=str(tmp_path))

    if where != "execute":
        monkeypatch.setattr(f"lab.commands.many.{where}", end)
    plans = [replace(one, options=replace(one.options, out=tmp_path / "runs")) for one in map(plan, ("a", "b"))]
    target, ci = tmp_path / "all.json", outputs(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run_many(plans, execute, Console(file=io.StringIO()), quiet=True, json_to=str(target), ci=ci)
    finally:
        signal.signal(signal.SIGINT, before)
    assert code == 130
    assert made_runs == (["a", "b"] if where == "keep_index" else ["a"])
    assert [one["verdict"] for one in json.loads(target.read_text())] == ["pass"] * len(made_runs)
    assert len(list(JUnitXml.fromfile(str(tmp_path / "out.xml")))) == len(made_runs)
