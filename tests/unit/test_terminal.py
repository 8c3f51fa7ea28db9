"""The terminal: a hostile label or log line is text, never a command to the console."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from histories import header, sampled, samples
from rich.console import Console

from lab import signals
from lab.commands.many import worst
from lab.commands.run import _console
from lab.events import CulpritFound, LogSeen, Notified
from lab.history import History
from lab.judge import Judgement, PhaseResult
from lab.outcome import Delays, Outcome
from lab.report.matrix import Row, matrix_table, summary_table
from lab.report.terminal import TerminalStory, status_line, summary_lines, verdict_table
from lab.scenario import Check, CheckResult, Load, Mode, Phase, Result, Scenario, Verdict
from lab.text import clean, one_line

HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202edrow\u2066 \x9b2J\r\n\b[/bold][link=x] end"
FORBIDDEN = "\x1b\x07\x08\x9b\u202e\u2066\r"
SCENARIO = Scenario("mine", "t", Load(), (), (), (), (), alerts=("A",), consequences=("B",))


def printed(show: Callable[[Console], object]) -> str:
    """What reaches a console that adds no sequences of its own."""
    out = io.StringIO()
    show(Console(file=out, force_terminal=False, width=400))
    return out.getvalue()


def result(what: Result = Result.PASS, **more: object) -> CheckResult:
    found = CheckResult("c", Mode.ALWAYS, "expected", "observed", what)
    return replace(found, **more)  # type: ignore[arg-type]


def outcome(*results: CheckResult, reason: str = "", verdict: Verdict = Verdict.PASS, start: float = 0.0) -> Outcome:
    judgement = Judgement((PhaseResult(Phase.STEADY, start, 5.0, results),), verdict, reason)
    return Outcome(header(), judgement, Delays(12.0, 9.0, 3.0, 7.0, 20.0), None, (), (), 25.0)


def story(console: Console) -> TerminalStory:
    return TerminalStory(console)


def check() -> Check:
    return Check("c", None)  # type: ignore[arg-type]


def hostile_alert() -> Outcome:
    return replace(outcome(), header=header(watched_alerts=(HOSTILE,)))


SHOWN: dict[str, Callable[[Console], object]] = {
    "log line": lambda c: story(c)._events(History([], [LogSeen(0.0, "prometheus", "logs/p.log", 3, HOSTILE)])),
    "notification": lambda c: story(c)._events(
        History([], [Notified(0.0, HOSTILE, "firing", HOSTILE, {}, {"summary": HOSTILE})])
    ),
    "culprit": lambda c: story(c)._events(History([], [CulpritFound(0.0, HOSTILE, HOSTILE, 3)])),
    "settled": lambda c: story(c).settled(check(), result(observed=HOSTILE, reason=HOSTILE)),
    "table": lambda c: c.print(verdict_table(outcome(result(observed=HOSTILE, reason=HOSTILE, expected=HOSTILE)))),
    "table, not reached": lambda c: c.print(verdict_table(outcome(result(reason=HOSTILE), start=math.nan))),
    "reason": lambda c: [c.print(line) for line in summary_lines(outcome(reason=HOSTILE))],
    "summary of all": lambda c: c.print(summary_table([Row(SCENARIO, outcome(reason=HOSTILE))])),
    "matrix": lambda c: c.print(
        matrix_table("t", [Row(replace(SCENARIO, alerts=(HOSTILE,)), hostile_alert())], lambda _: (HOSTILE,))
    ),
}


@pytest.mark.parametrize("what", SHOWN)
def test_nothing_from_outside_moves_the_cursor(what: str) -> None:
    text = printed(SHOWN[what])
    assert "end" in text
    assert "[/bold]" in text, "markup from outside is text"
    assert not set(text) & set(FORBIDDEN), repr(text)


def test_a_notification_without_a_summary_ends_with_its_name() -> None:
    bare = History([], [Notified(0.0, "TargetDown", "firing", "alerts")])
    assert "#alerts FIRING TargetDown\n" in printed(lambda c: story(c)._events(bare))


def test_clean_keeps_what_can_be_printed() -> None:
    assert clean("größer 数 ✓ [x]") == "größer 数 ✓ [x]"
    assert clean("a\x1bb\u200f\u2028\t") == "a\ufffdb\ufffd\ufffd\ufffd"
    assert one_line("a\nb\x1b") == "a b\ufffd"


# What is told


def test_the_table_has_every_check_and_only_the_guards_that_do_not_hold() -> None:
    found = outcome(
        result(Result.FAIL, name="fails"), result(Result.SKIPPED, name="skipped", reason="no volume"),
        result(Result.PASS, name="held", guard=True), result(Result.INCONCLUSIVE, name="traffic", guard=True),
    )  # fmt: skip
    text = printed(lambda c: c.print(verdict_table(found)))
    lines = {
        word: next((line for line in text.splitlines() if word in line), "") for word in ("fails", "traffic", "held")
    }
    assert "✗ fail" in lines["fails"]
    assert "always: expected" in lines["fails"]
    assert "guard: traffic" in lines["traffic"]
    assert "? inconclusive" in lines["traffic"]
    assert lines["held"] == ""
    assert "(no volume)" in text
    assert "– skipped" in text


def test_the_summary_splits_the_delay_and_names_the_verdict() -> None:
    lines = summary_lines(replace(outcome(reason="c: why", verdict=Verdict.FAIL), run_dir="/x/y"))
    text = "\n".join(lines)
    assert "time to detect 12.0 s = signal 9.0 s + pipeline 3.0 s (budget of the pipeline 1.0 s)" in text
    assert "simulated 3.0 min" in text
    assert "time to recover 7.0 s" in text
    assert "wall 25.0 s, of it overhead 5.0 s" in text
    assert "FAIL[/bold red]: c: why" in text
    assert "lab analyze /x/y" in text


def test_the_live_line_shows_what_is_known() -> None:
    values = {
        signals.HEAD_SERIES: 12345.0, signals.RPS: 299.6, signals.DISK_USED_BYTES: 2.0**20,
        signals.DISK_SIZE_BYTES: 2.0**21, signals.rss("rag"): 100.0 * 2**20, signals.alert_state("A"): signals.FIRING,
    }  # fmt: skip
    text = status_line(History(sampled({k: lambda t, v=v: v for k, v in values.items()}, 3)), ("A",))
    for part in (
        "series [bold]12,345",
        "req/s [bold]300",
        "disk [bold]50%[/bold] of 2 MiB",
        "100[/bold] MiB",
        "FIRING",
    ):
        assert part in text
    assert "series [bold]-" in status_line(History(samples(3)), ("A",))


def test_a_quiet_story_has_only_its_end() -> None:
    def tell(console: Console) -> None:
        quiet = TerminalStory(console, quiet=True)
        quiet.phase(Phase.STEADY)
        quiet.settled(check(), result())
        quiet.unwinding()

    assert printed(tell) == ""
    assert "PASS" in printed(lambda c: TerminalStory(c, quiet=True).end(outcome(result())))


def test_each_service_is_quoted_once() -> None:
    lines = [LogSeen(float(n), "prometheus", "logs/p.log", n, "full") for n in range(3)]
    assert printed(lambda c: story(c)._events(History([], list(lines)))).count("full") == 1


@pytest.mark.parametrize(("flag", "variable", "coloured"), [
    (False, None, True), (True, None, False), (False, "1", False), (False, "", True),
])  # fmt: skip
def test_no_color(flag: bool, variable: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = _console(flag)
    console.file = io.StringIO()
    console.print("[red]x[/red]")
    assert ("\x1b[31m" in console.file.getvalue()) is coloured


def test_in_a_pipe_the_table_is_wide_and_plain() -> None:
    assert _console(False).width >= 80
    text = printed(lambda c: c.print(verdict_table(outcome(result(Result.FAIL)))))
    assert "\x1b" not in text


@pytest.mark.parametrize(("codes", "expected"), [
    ([0, 0], 0), ([0, 3], 3), ([3, 1, 0], 1), ([1, 130], 130), ([], 0),
])  # fmt: skip
def test_the_worst_code_of_several_runs(codes: list[int], expected: int) -> None:
    assert worst(codes) == expected


def test_the_matrix_tells_own_consequence_wrong_and_missing() -> None:
    found = replace(outcome(), header=header(watched_alerts=("A", "B", "C", "D")))
    text = printed(lambda c: c.print(matrix_table("t", [Row(SCENARIO, found)], lambda _: ("B", "C"))))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line[:2] in ("A ", "B ", "C ", "D ")}
    assert rows == {"A": ["SILENT"], "B": ["follows"], "C": ["WRONG"]}
    assert "1 further alerts were silent" in " ".join(text.split())
