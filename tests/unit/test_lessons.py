"""Each lesson ends in three questions with the answers folded away; the session of docs/teaching.md can be held."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from test_layout import SCENARIOS

from lab.cli import run_cli

ROOT = Path(__file__).resolve().parent.parent.parent
LESSONS = [folder / "README.md" for folder in SCENARIOS]
ANSWER = "<details><summary>Answer</summary>"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.parent.name)
def test_three_questions_and_their_answers_are_the_end_of_a_lesson(lesson: Path) -> None:
    parts = re.split(r"^## ", lesson.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert parts[-1].startswith("Quiz\n")
    questions = re.split(r"^\d\. ", parts[-1], flags=re.MULTILINE)[1:]
    assert len(questions) == 3
    for text in questions:
        asked, fold, answer = text.partition(f"\n   {ANSWER}\n\n")
        assert fold, "without a blank line GitHub shows the answer's Markdown as it is written"
        assert "?" in asked
        said, end, rest = answer.partition("\n\n   </details>\n")
        assert end
        assert len(said.split()) > 15, "an answer says why"
        assert not rest.strip(), "an answer that is not folded away"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.parent.name)
def test_a_terminal_shows_the_questions_without_their_answers(lesson: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["show", lesson.parent.name]) == 0
    out = capsys.readouterr().out
    assert "details>" not in out
    text = lesson.read_text(encoding="utf-8")
    answers = re.findall(rf"{ANSWER}\n\n   (.+)\n", text)
    assert len(answers) == 3
    assert not [answer for answer in answers if answer in out]
    before, _, quiz = text.partition("## Quiz")
    assert out.startswith(before)
    assert all(question in out for question in re.findall(r"^\d\. .+$", quiz, re.MULTILINE))


# docs/teaching.md

SESSION = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def test_the_session_has_no_gap_and_ends_in_time() -> None:
    minutes = [(int(a), int(b)) for a, b in re.findall(r"^\| (\d+) to (\d+) \|", SESSION, re.MULTILINE)]
    assert len(minutes) > 5
    assert minutes[0][0] == 0
    assert minutes[-1][1] == 40
    assert all(before[1] == after[0] for before, after in pairwise(minutes))
    assert all(begin < end for begin, end in minutes)


def test_every_file_of_the_session_is_there() -> None:
    files = {name for name in re.findall(r"[\w./-]+/[\w./-]*\w", SESSION) if name.startswith(("scenarios/", "docs/"))}
    assert files
    assert not [name for name in files if not (ROOT / name).exists()]
