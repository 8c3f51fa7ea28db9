"""What the terminal says about a learner's answer: hints for what failed, or the difference to ours."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from lab.answer import Answer
from lab.hints import hints_for
from lab.outcome import Outcome
from lab.scenario import Verdict
from lab.text import clean


def tell_answer(console: Console, answer: Answer, found: Outcome, *, solution: bool) -> None:
    """Hints for each failed check of an answer; with `solution` the diff from it to ours instead."""
    if not answer.given:
        return
    if solution:
        console.print("[bold]from your answer to ours[/bold]", highlight=False)
        for line in answer.solution().splitlines():
            console.print(Text(clean(line), _style(line)), soft_wrap=True)
        return
    _tell_names(console, found)
    hints = hints_for(found.judgement, answer.hints) if found.verdict is Verdict.FAIL else []
    if not hints:
        return
    console.print("[bold]hints[/bold] [dim](the answer: `lab analyze RUN --solution`)[/dim]", highlight=False)
    for hint in hints:
        console.print(f"  {hint.phase.value}, {escape(clean(hint.check))}", highlight=False)
        console.print(Padding(Text(clean(hint.text)), (0, 0, 0, 6)))


def _tell_names(console: Console, found: Outcome) -> None:
    """Under which names an answer that did not pass was read: a pair that is wrong is seen here."""
    if found.header.names and found.verdict is not Verdict.PASS:
        pairs = ", ".join(f"{yours} as {ours}" for ours, yours in found.header.names.items())
        console.print(Text(f"your names were read (--map): {clean(pairs)}"), soft_wrap=True)


def _style(line: str) -> str:
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
