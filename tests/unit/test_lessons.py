"""Each lesson ends in three questions, with the answers folded away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LESSONS = sorted(path.parent / "README.md" for path in (ROOT / "scenarios").glob("*/scenario.py"))
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
