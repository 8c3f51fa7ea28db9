"""The story on a stage: it stops before each phase until it is let go on; narrow, so that the letters can be large."""

from __future__ import annotations

import sys
import termios
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lab.outcome import Outcome
from lab.report.terminal import MARKS, TerminalStory
from lab.scenario import Phase, Result
from lab.stage import Stop
from lab.text import clean

COLUMNS = 72
"""What is told fits so many columns; only commands may be longer, to be copied whole."""
MEANWHILE = {
    Phase.STEADY: "nothing runs yet",
    Phase.BROKEN: "the healthy service goes on",
    Phase.FIXED: "the fault goes on",
}


def enter() -> None:
    """Wait for Enter, one that comes from now on: a key too many before is no answer. At the end of the input go on."""
    if sys.stdin.isatty():
        with suppress(OSError, ValueError, termios.error):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
    sys.stdin.readline()


@dataclass(frozen=True)
class After:
    """Wait for a number of seconds."""

    seconds: float

    def __call__(self) -> None:
        """Wait."""
        threading.Event().wait(self.seconds)


class StageStory(TerminalStory):
    """Tells a run in large steps. `pause` returns when the run may go on."""

    def __init__(self, console: Console, stops: Mapping[Phase, Stop], pause: Callable[[], None]) -> None:
        super().__init__(console)
        console.width = min(console.width, COLUMNS)
        self._stops, self._pause = stops, pause
        self._urls: dict[str, str] = {}

    def opening(self) -> None:
        """The stop before anything is started."""
        self._stop(self._stops[Phase.STEADY])

    def ready(self, urls: Mapping[str, str]) -> None:
        """From now on there is something to open."""
        self._urls = dict(urls)

    def phase(self, phase: Phase) -> None:
        """A stop before a deployment; before the first phase there was one already."""
        if phase in self._stops and phase is not Phase.STEADY:
            self._no_live_line()
            self._stop(self._stops[phase])
            self._live_line()
        super().phase(phase)

    def _say(self, text: str) -> None:
        self._beside(f"[dim]{self._clock() - self._zero:.0f} s[/dim]", text.strip(), 6)

    def _beside(self, mark: str, words: str, width: int) -> None:
        """A mark in a column of its own: words that are too long go on below themselves."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(min_width=width, justify="right", no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(mark, Text.from_markup(words))
        self.console.print(grid)

    def _stop(self, stop: Stop) -> None:
        self._headline(stop.phase.value, "bold cyan")
        self.console.print(Text(_lines(stop.text)))
        self.console.print()
        for command in stop.shown(self._urls):
            self.console.print(Text(f"  $ {clean(command)}", "bold"), soft_wrap=True)
        for name, what in (("receiver", "the channel"), ("prometheus", "Prometheus")):
            if name in self._urls:
                self.console.print(f"  {what}: {escape(self._urls[name])}", highlight=False, soft_wrap=True)
        how = f"{self._pause.seconds:g} s" if isinstance(self._pause, After) else "Enter"
        self.console.print(f"\n[dim]\\[{how}] goes on; meanwhile {MEANWHILE[stop.phase]}[/dim]", highlight=False)
        self._pause()

    def _headline(self, words: str, style: str) -> None:
        self.console.print()
        self.console.rule(f"[{style}]{' '.join(words.upper())}[/{style}]", style="dim")
        self.console.print()

    def end(self, outcome: Outcome) -> None:
        """Each check in a line, and the verdict. How long it took says nothing: it was held."""
        for phase in outcome.judgement.phases:
            self.console.print(f"[bold]{phase.phase.value}[/bold]", highlight=False)
            for result in phase.results:
                if not (result.guard and result.result is Result.PASS):
                    mark, style = MARKS[result.result]
                    what = escape(clean(f"{result.name}: {result.reason or result.observed}"))
                    self._beside(f"[{style}]{mark}[/{style}]", what, 3)
        style = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}[outcome.verdict.value]
        self._headline(outcome.verdict.value, style)
        if outcome.judgement.reason:
            self.console.print(Text(clean(outcome.judgement.reason)))
        if outcome.delays.time_to_detect_s is not None:
            self.console.print(f"time to detect {outcome.delays.time_to_detect_s:.1f} s", highlight=False)


def _lines(text: str) -> str:
    """A paragraph, and the block below it as it stands."""
    return "\n".join(clean(line) for line in text.splitlines())
