"""The pytest plugin, in a pytest of its own, with a stand-in for `lab run`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_recorded import judged
from waiting import until

import lab.pytest_plugin
from lab.outcome import outcome, to_json

pytest_plugins = ["pytester"]

STAND_IN = """
import json, os, select, signal, sys
from pathlib import Path

with open("asked.jsonl", "a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + chr(10))
print("the story", file=sys.stderr, flush=True)
answers = json.loads(Path("answers.json").read_text())
code, found = answers[min(len(Path("asked.jsonl").read_text().splitlines()), len(answers)) - 1]
if code == "wait":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(select.select([], [], [], 1) and Path("stopped").write_text("")))
    Path("begun").write_text(str(os.getpid()))
    signal.pause()
if found is not None:
    Path(sys.argv[sys.argv.index("--json") + 1]).write_text(json.dumps(found))
sys.exit(code)
"""
MARKER = '@pytest.mark.lab("cardinality", detect="rules.yml")'


def answer(name: str) -> dict[str, Any]:
    """The JSON of a recorded run."""
    judgement, recording = judged(name)
    assert recording.header is not None
    return to_json(outcome(recording.header, recording.history, judgement))


PASS, NOOP, UNSEEN = (answer(f"cardinality/{name}") for name in ("pass", "noop", "no_rules"))


class Project:
    """A team's repository, and what pytest makes of it; with the plugin once, whether or not it is installed."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester, self.folder = pytester, pytester.path
        pytester.makeini("[pytest]\naddopts = --strict-markers -q -p no:lab -p lab.pytest_plugin -p no:cacheprovider")
        (self.folder / "stand_in.py").write_text(STAND_IN)
        monkeypatch.setattr(lab.pytest_plugin, "LAB", (sys.executable, "stand_in.py"))

    def answers(self, *answers: tuple[int | str, object]) -> None:
        (self.folder / "answers.json").write_text(json.dumps(answers))
        (self.folder / "asked.jsonl").unlink(missing_ok=True)

    def run(self, *body: str) -> str:
        self.pytester.makepyfile(test_of_a_team="import pytest\n" + "\n".join(body) + "\n")
        return str(self.pytester.runpytest_inprocess().stdout)

    def asked(self) -> list[list[str]]:
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def test_three_lines_assert_that_rules_catch_a_failure(project: Project) -> None:
    project.answers((0, PASS))
    said = project.run(MARKER, "def test_caught(lab_run):", "    assert lab_run.passed, str(lab_run)")
    assert "1 passed" in said
    (arguments,) = project.asked()
    assert arguments[:4] == ["run", "cardinality", "--detect", "rules.yml"]
    assert arguments[4] == "--json"


def test_a_failure_is_told_with_what_was_expected_and_seen(project: Project) -> None:
    project.answers((1, UNSEEN))
    said = project.run(MARKER, "def test_caught(lab_run):", "    assert lab_run.detected")
    assert "1 failed" in said
    assert "<lab run cardinality: broken: seen before it hurts: expected MetricCardinalityExplosion deli" in said
    assert "observed never against 35.3 s; evidence in " in said


def test_a_message_is_not_cut_short_however_many_checks_failed(project: Project) -> None:
    project.answers((1, UNSEEN))
    said = project.run(MARKER, "def test_caught(lab_run):", "    assert lab_run.passed, str(lab_run)")
    failed = [c for p in UNSEEN["phases"] for c in p["checks"] if c["result"] == "fail"]
    assert failed
    for check in failed:
        assert f"{check['name']}: expected {check['expected']}, observed {check['observed']}" in said
    lines = [line.removeprefix("E").strip() for line in said.splitlines()]
    assert any(line.startswith("evidence in ") for line in lines), "a line for each, not one that pytest shortens"


@pytest.mark.parametrize(("code", "found", "passed", "detected"), [
    (0, PASS, True, True), (1, NOOP, False, True), (1, UNSEEN, False, False),
])  # fmt: skip
def test_detected_is_not_passed(code: int, found: object, passed: bool, detected: bool, project: Project) -> None:
    project.answers((code, found))
    said = project.run(
        MARKER, "def test_it(lab_run):", f"    assert (lab_run.passed, lab_run.detected) == {(passed, detected)}"
    )
    assert "1 passed" in said


def test_times_alerts_and_evidence_can_be_asserted(project: Project) -> None:
    project.answers((0, PASS))
    said = project.run(
        MARKER, "def test_it(lab_run):", "    assert 5 < lab_run.time_to_detect_s < 30 and lab_run.time_to_recover_s",
        "    assert lab_run.own_alerts == ('MetricCardinalityExplosion',)",
        "    assert 'MetricCardinalityExplosion' in lab_run.delivered and lab_run.run_dir.name is not None",
    )  # fmt: skip
    assert "1 passed" in said


@pytest.mark.parametrize(("answers", "passed", "tries"), [
    ([(3, PASS), (3, PASS), (0, PASS)], True, 3), ([(1, NOOP), (0, PASS)], False, 1), ([(0, PASS), (1, NOOP)], True, 1),
])  # fmt: skip
def test_a_doubt_is_repeated_and_a_pass_or_a_failure_never(
    answers: list[tuple[int, object]], passed: bool, tries: int, project: Project
) -> None:
    project.answers(*answers)
    assert "1 passed" in project.run(MARKER, "def test_it(lab_run):", f"    assert lab_run.passed is {passed}")
    assert len(project.asked()) == tries


@pytest.mark.parametrize(("tries", "expected"), [("", 3), (", tries=1", 1)])
def test_what_stays_a_doubt_is_an_error_of_the_fixture(tries: str, expected: int, project: Project) -> None:
    project.answers((3, PASS))
    said = project.run(f'@pytest.mark.lab("cardinality"{tries})', "def test_it(lab_run):", "    pass")
    assert "1 error" in said
    assert "inconclusive, which says nothing of the rules" in said
    assert len(project.asked()) == expected


def test_a_run_that_is_refused_is_an_error_with_the_line_that_says_why(project: Project) -> None:
    project.answers((2, None))
    said = project.run(MARKER, "def test_it(lab_run):", "    pass")
    assert "1 error" in said
    assert "exit code 2" in said
    assert "the story" in said
    assert len(project.asked()) == 1


def test_tests_that_ask_for_the_same_share_one_run(project: Project) -> None:
    project.answers((0, PASS))
    said = project.run(
        MARKER, "def test_a(lab_run):", "    assert lab_run.passed",
        MARKER, "def test_b(lab_run):", "    assert lab_run.detected",
        '@pytest.mark.lab("cardinality", control=True, max_wall=300, strict=False, fix=None, map=["a=b", "c=d"])',
        "def test_c(lab_run):", "    pass",
    )  # fmt: skip
    assert "3 passed" in said
    assert [a[1:-2] for a in project.asked()] == [
        ["cardinality", "--detect", "rules.yml"],
        ["cardinality", "--control", "--max-wall", "300", "--map", "a=b", "--map", "c=d"],
    ]


@pytest.mark.parametrize(("marker", "why"), [
    ("", "needs @pytest.mark.lab"), ("@pytest.mark.lab()", "needs @pytest.mark.lab"),
    ('@pytest.mark.lab("all")', "all: a test has one run"), ('@pytest.mark.lab("x", keep=True)', "keep: a test has"),
    ('@pytest.mark.lab("x", json="y")', "json: a test has"),
])  # fmt: skip
def test_what_a_test_can_not_ask_for(marker: str, why: str, project: Project) -> None:
    project.answers((0, PASS))
    said = project.run(marker, "def test_it(lab_run):", "    pass")
    assert "1 error" in said
    assert why in said
    assert project.asked() == []


def test_an_interrupted_pytest_waits_until_the_run_has_stopped(project: Project) -> None:
    def hears_ctrl_c() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    project.answers(("wait", None))
    (project.folder / "conftest.py").write_text(
        f"import lab.pytest_plugin\nlab.pytest_plugin.LAB = ({sys.executable!r}, 'stand_in.py')\n"
    )
    project.pytester.makepyfile(test_of_a_team=f"import pytest\n{MARKER}\ndef test_it(lab_run):\n    pass\n")
    told, begun = project.folder / "told", project.folder / "begun"
    with told.open("w") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "pytest"], cwd=project.folder, stdout=out, preexec_fn=hears_ctrl_c
        )  # fmt: skip
    until(lambda: begun.exists() and begun.read_text(), 60, "the run has begun")
    child.send_signal(signal.SIGINT)
    child.wait(timeout=30)
    assert (project.folder / "stopped").exists()
    assert not Path(f"/proc/{begun.read_text()}").exists()
    assert "KeyboardInterrupt" in told.read_text()


def test_the_plugin_is_light() -> None:
    """Every pytest session of an environment with the lab imports it."""
    code = "import sys, pytest; before = set(sys.modules); import lab.pytest_plugin; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == {"lab", "lab.pytest_plugin"}
