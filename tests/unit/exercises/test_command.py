"""`lab exercise`: the list, a task, a starter, and the judge's exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import catalog as scenarios
from lab.cli import run_cli
from lab.exercises import catalog
from lab.exercises.judge import JUDGES
from lab.exercises.points import Judged, point, unjudged
from lab.exercises.promtool import PromtoolMissingError


def test_exercises_are_no_scenarios() -> None:
    assert "exercises" not in scenarios.names()
    assert not list(catalog.folder().rglob("scenario.py"))


def test_the_list_has_each_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["exercise"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalog.names())
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("name", catalog.names())
def test_each_has_all_its_parts_and_a_judge(name: str) -> None:
    folder = catalog.find(name)
    assert name in JUDGES
    parts = {part: {p.name for p in (folder / part).iterdir()} for part in ("starter", "reference", "wrong")}
    assert parts["starter"] == parts["reference"] == parts["wrong"]
    task = catalog.task(name)
    for part in ("Files of an answer", "What is judged", "Limits"):
        assert f"\n## {part}\n" in task
    for file in parts["starter"]:
        assert f"`{file}`" in task
    assert f"lab exercise {name} --start my-answer" in task
    assert f"lab exercise {name} --answer my-answer" in task


@pytest.mark.parametrize("name", catalog.names())
def test_the_task_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["exercise", name]) == 0
    assert capsys.readouterr().out == catalog.task(name)


def test_a_starter_is_copied_and_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "mine"
    assert run_cli(["exercise", "hard", "--start", str(into)]) == 0
    assert {p.name for p in into.iterdir()} == {p.name for p in (catalog.folder() / "hard" / "starter").iterdir()}
    (into / "detector.py").write_text("mine\n")
    assert run_cli(["exercise", "hard", "--start", str(into)]) == 2
    assert (into / "detector.py").read_text() == "mine\n"
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["exercise", "hrad"], "did you mean hard?"),
        (["exercise", "--answer", "x"], "which exercise?"),
        (["exercise", "hard", "--answer", "nowhere"], "no such folder"),
        (["exercise", "hard", "--chart", "x.svg"], "--answer"),
        (["exercise", "hard", "--seed", "3"], "--seed: is of the day in a chart; add --chart FILE"),
        (["exercise", "hard", "--answer", "x", "--seed", "1"], "add --chart FILE"),
        (["exercise", "easy", "--answer", "x", "--chart", "y"], "is of a detector; `easy` has none; leave it away"),
        (["exercise", "medium", "--answer", "x", "--chart", "y"], "is of a detector; `medium` has none; leave it away"),
        (["exercise", "--seed", "3"], "which exercise?"),
        (["exercise", "--seed", "0"], "which exercise?"),
        (["exercise", "--json"], "which exercise?"),
        (["exercise", "hard", "--json"], "--json: is of the points of an answer; add --answer DIR"),
        (["exercise", "hard", "--start", "z", "--json"], "--json: is of the points of an answer; add --answer DIR"),
    ],
)
def test_bad_usage_is_one_line(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(argv) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.fixture
def no_promtool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten weeks of rules take long; tests/e2e has them."""

    def missing() -> None:
        raise PromtoolMissingError("no promtool: lab install")

    monkeypatch.setattr("lab.exercises.promtool.promtool", missing)


@pytest.mark.usefixtures("no_promtool")
def test_a_wrong_answer_ends_with_1_and_tells_hints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chart = tmp_path / "day.svg"
    wrong = str(catalog.folder() / "hard" / "wrong")
    assert run_cli(["exercise", "hard", "--answer", wrong, "--chart", str(chart)]) == 1
    out = capsys.readouterr().out
    assert out.count("FAIL ") == out.count("hint: ") > 0
    assert chart.read_text().startswith("<svg")


def test_a_chart_of_no_detector_is_refused_before_judging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    monkeypatch.setitem(JUDGES, "easy", lambda folder: judged.append(str(folder)) or [])
    easy = str(catalog.folder() / "easy" / "reference")
    assert run_cli(["exercise", "easy", "--answer", easy, "--chart", str(tmp_path / "day.svg")]) == 2
    assert judged == []


CRASHES = """
class Detector:
    def __init__(self, *_):
        1 / 0
"""


def test_a_detector_that_crashes_while_it_is_drawn_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(JUDGES, "hard", lambda _: [point("a", True, "", "")])
    (tmp_path / "detector.py").write_text(CRASHES, encoding="utf-8")
    chart = tmp_path / "day.svg"
    argv = ["exercise", "hard", "--answer", str(tmp_path), "--chart", str(chart), "--seed", "77"]
    assert run_cli(argv) == 1
    err = capsys.readouterr().err
    assert err == "chart: not drawn, seed 77: detector.py:4: ZeroDivisionError: division by zero\n"
    assert not chart.exists()


def test_a_chart_that_cannot_be_written_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(JUDGES, "hard", lambda _: [point("a", True, "", "")])
    reference = str(catalog.folder() / "hard" / "reference")
    chart = tmp_path / "no" / "day.svg"
    assert run_cli(["exercise", "hard", "--answer", reference, "--chart", str(chart)]) == 2
    err = capsys.readouterr().err
    assert f"--chart {chart}: No such file or directory; give a file that can be written" in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("no_promtool")
def test_a_right_answer_of_which_not_all_could_be_judged_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["exercise", "hard", "--answer", str(catalog.folder() / "hard" / "reference")]) == 3
    out = capsys.readouterr().out
    assert "skipped rules" in out
    assert "lab install" in out
    assert "FAIL" not in out


@pytest.mark.usefixtures("no_promtool")
def test_points_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = str(catalog.folder() / "hard" / "wrong")
    assert run_cli(["exercise", "hard", "--answer", wrong, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == 1
    assert {one["result"] for one in found["points"]} >= {"pass", "fail"}


def test_exit_codes() -> None:
    good, bad, unknown = point("a", True, "", ""), point("b", False, "", "try"), unjudged("c", "no promtool")
    assert Judged("x", (good,)).exit_code == 0
    assert Judged("x", (good, unknown)).exit_code == 3
    assert Judged("x", (good, unknown, bad)).exit_code == 1
    assert "skipped" in Judged("x", (unknown,)).to_text()


def test_nothing_of_an_answer_moves_the_cursor() -> None:
    assert "\x1b" not in Judged("x", (point("a", False, "\x1b[2J", "\x1b[2J\nnext"),)).to_text()


def test_an_answer_that_cannot_be_looked_at_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["exercise", "hard", "--answer", "x" * 300]) == 2
    assert "File name too long; give a folder that can be read" in capsys.readouterr().err


def test_a_starter_that_cannot_be_written_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copy2", full)
    monkeypatch.setattr("shutil.copytree.__defaults__", (False, None, full, False, False))
    assert run_cli(["exercise", "hard", "--start", str(tmp_path / "x")]) == 2
    assert "No space left on device" in capsys.readouterr().err
