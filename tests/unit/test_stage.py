"""`lab run --stage`: what is on the wall at each stop, when a stop comes, and that it fails no check."""

from __future__ import annotations

import io
import os
import re
import select
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from rich.console import Console
from test_layout import SCENARIOS
from test_recorded import judged

from lab.catalog import find
from lab.cli import run_cli
from lab.commands.stage import opened
from lab.deployment import Deployment
from lab.errors import ScenarioError
from lab.events import Notified, PhaseEnded, PhaseStarted
from lab.history import History, Sample
from lab.judge import judge
from lab.outcome import outcome
from lab.plan import Plan
from lab.report.stage import COLUMNS, After, StageStory, enter
from lab.runner import Run
from lab.scenario import Phase, Result, Verdict
from lab.stage import FILE, PLACES, Stop, paragraph, stops
from lab.story import Several, Story

URLS = {name: f"http://127.0.0.1:{n}/" for n, name in enumerate(PLACES, 4000)}


def staged(name: str = "cardinality", pause: Callable[[], None] = lambda: None) -> tuple[StageStory, io.StringIO]:
    out = io.StringIO()
    return StageStory(Console(file=out, width=160), stops(find(name)), pause), out


# What is shown


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_each_stop_has_a_paragraph_of_the_lesson_and_something_to_show(folder: Path) -> None:
    lesson = " ".join((folder / "README.md").read_text().split())
    for phase, stop in stops(find(str(folder))).items():
        text = stop.text.partition("\n")[0]
        assert 15 < len(text.split()) < 80 or phase is not Phase.STEADY
        assert text
        assert text in lesson
        assert stop.shown(URLS)
        assert not any("{" + name + "}" in line for line in stop.shown(URLS) for name in PLACES)


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_what_a_scenario_shows_names_services_that_are_there(folder: Path) -> None:
    told = yaml.safe_load((folder / FILE).read_text())
    places = {place for lines in told.values() for line in lines for place in re.findall(r"\{([a-z]+)\}", line)}
    assert places
    assert places <= set(PLACES)
    assert set(told) <= {"broken", "fixed"}


def test_a_block_below_a_colon_belongs_to_its_paragraph() -> None:
    head = "# T\n\n    lab run x\n\nFirst\nwords.\n\n"
    lesson = f"{head}## Fix\n\n- a\n\nDo this:\n\n    - a: 1\n      b: 2\n\nThen more.\n\n## Next\n\nno\n"
    assert paragraph(lesson, "") == "First words."
    assert paragraph(lesson, "Fix") == "Do this:\n\n    - a: 1\n      b: 2"
    assert paragraph(lesson, "Next") == "no"
    assert paragraph(lesson, "Gone") == ""
    assert paragraph("# T\n\n## Fix\n\nDone.\n\n    code\n", "Fix") == "Done."


def test_a_command_that_needs_a_url_waits_for_it() -> None:
    stop = Stop(Phase.BROKEN, "t", ("lab list", "curl {prometheus}/-/ready {job}"))
    assert stop.shown({}) == ["lab list"]
    assert stop.shown(URLS) == ["lab list", f"curl {URLS['prometheus']}-/ready {{job}}"]


@pytest.mark.parametrize("text", [
    "broken", "nonsense: [a]", "broken: 3", "- a", "broken: [", "broken: curl {prometheus}",
    "broken:\n- curl -H Accept: text", "[" * 5000,
])  # fmt: skip
def test_a_file_that_shows_nothing_sensible_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# T\n\nwords\n")
    (tmp_path / FILE).write_text(text)
    found = SimpleNamespace(folder=tmp_path, bundled=False, scenario=SimpleNamespace(label="x"))
    with pytest.raises(ScenarioError, match=r"stage\.yml") as caught:
        stops(found)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_it_is_narrow_but_what_is_copied_is_whole() -> None:
    story, out = staged("slow_queries")
    story.opening()
    story.ready(URLS)
    story.phase(Phase.BROKEN)
    lines = out.getvalue().splitlines()
    assert all(len(line.rstrip()) <= COLUMNS for line in lines if not line.startswith("  $ "))
    assert (
        f"  $ curl -s {URLS['prometheus']}api/v1/query --data-urlencode 'query=sum(rate(rag_queries_total[24h]))'"
        in lines
    )
    assert "B R O K E N" in out.getvalue()
    assert f"  the channel: {URLS['receiver']}" in lines


def test_a_long_line_goes_on_below_its_own_words() -> None:
    story, out = staged()
    story._zero = time.time() - 12
    story._say("  [red]" + "word " * 40 + "\\[x][/red]")
    first, *more = out.getvalue().splitlines()
    assert first.startswith("  12 s word word")
    assert more
    assert all(line.startswith(" " * 7 + "w") for line in more)
    assert "[x]" in more[-1]


def test_nothing_from_a_lesson_moves_the_cursor() -> None:
    out = io.StringIO()
    story = StageStory(Console(file=out), {Phase.STEADY: Stop(Phase.STEADY, "a\x1b[2J [b]x", ("c\x1b",))}, lambda: None)
    story.opening()
    assert "\x1b" not in out.getvalue()
    assert "[b]x" in out.getvalue()


# When it stops


def test_it_stops_before_each_phase_once_and_before_it_says_that_it_is_live() -> None:
    seen: list[str] = []
    story, out = staged(pause=lambda: seen.append(out.getvalue()))
    story.opening()
    for phase in (Phase.STEADY, Phase.BROKEN, Phase.FIXED):
        story.phase(phase)
    assert len(seen) == 3
    for text, word, meanwhile in zip(
        seen, ("S T E A D Y", "B R O K E N", "F I X E D"), ("nothing runs yet", "healthy service", "the fault goes on"),
        strict=True,
    ):  # fmt: skip
        assert word in text
        assert meanwhile in text.splitlines()[-1]
    assert "broken/ is deployed" not in seen[1]
    assert "broken/ is deployed" in seen[2]


def test_the_clock_of_a_run_begins_after_the_first_stop() -> None:
    story, _ = staged()
    recording = judged("cardinality/pass")[1]
    plan: Any = SimpleNamespace(header=recording.header)
    assert opened(plan, Story()) is plan
    whole = Plan(*[None] * 7, recording.header)  # type: ignore[arg-type]
    assert opened(whole, story).header.started_at > whole.header.started_at


def test_by_itself_it_waits_so_long() -> None:
    begun = time.monotonic()
    After(0.2)()
    assert 0.2 <= time.monotonic() - begun < 2


def test_a_key_too_many_does_not_skip_the_next_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        os.write(keyboard, b"\n")
        assert select.select([terminal], [], [], 5)[0]
        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        os.write(keyboard, b"\n")
        waiting.join(5)
        assert not waiting.is_alive()
    os.close(keyboard)


def test_the_others_are_told_too() -> None:
    class Heard(Story):
        urls: Any = None

        def ready(self, urls: Any) -> None:
            self.urls = urls

    heard = Heard()
    Several([Story(), heard]).ready(URLS)
    assert heard.urls == URLS


# That it fails no check


def test_the_runner_tells_of_a_phase_before_the_phase_is() -> None:
    """Else a stop would be inside the phase, and its deadlines would pass meanwhile."""
    order: list[str] = []

    class Told(Story):
        def phase(self, phase: Phase) -> None:
            order.append(f"told of {phase.value}")

    run: Any = object.__new__(Run)
    run.story = Told()
    run.journal = SimpleNamespace(record=lambda event: order.append(type(event).__name__))
    run.plan = SimpleNamespace(scenario=SimpleNamespace(wipe_on_fix=False))
    run.stack = SimpleNamespace(deploy=lambda deployment, patient: order.append("deploy"))
    run._begin(Phase.BROKEN, Deployment("broken"))
    assert order == ["told of broken", "PhaseStarted", "deploy", "Deployed"]


STOP_S = 90.0


def held(name: str, phase: Phase, *, inside: bool = False) -> Verdict:
    """A recorded run that was held before a phase, the sampler looking on; `inside`: after the phase had begun."""
    _, recording = judged(name)
    assert recording.header is not None
    history = recording.history
    begun = next(e.t for e in history.of(PhaseStarted) if e.name == phase.value)
    assert any(e.t <= begun for e in history.of(PhaseEnded))

    def later(entry: Any) -> Any:
        if entry.t < begun or (inside and isinstance(entry, PhaseStarted) and entry.name == phase.value):
            return entry
        moved = {"t": entry.t + STOP_S}
        if isinstance(entry, Notified) and entry.starts_at:
            moved["starts_at"] = (datetime.fromisoformat(entry.starts_at) + timedelta(seconds=STOP_S)).isoformat()
        return replace(entry, **moved)

    last = max((s for s in history.samples if s.t <= begun), key=lambda s: s.t)
    between = [Sample(last.t + n, last.values) for n in range(1, int(STOP_S) + 1)]
    samples = sorted([*map(later, history.samples), *between], key=lambda s: s.t)
    found = judge(
        find(recording.header.scenario).scenario, recording.header, History(samples, [later(e) for e in history.events])
    )
    return found.verdict


@pytest.mark.parametrize("name", [f"{folder.name}/pass" for folder in SCENARIOS])
@pytest.mark.parametrize("phase", [Phase.BROKEN, Phase.FIXED])
def test_a_stop_between_phases_fails_no_check(name: str, phase: Phase) -> None:
    assert held(name, phase) is Verdict.PASS


def test_a_stop_inside_a_phase_would() -> None:
    assert held("cardinality/pass", Phase.BROKEN, inside=True) is not Verdict.PASS


def test_the_end_has_each_check_and_the_verdict_in_large() -> None:
    judgement, recording = judged("cardinality/noop")
    assert recording.header is not None
    story, out = staged()
    story.end(outcome(recording.header, recording.history, judgement))
    text = out.getvalue()
    assert "✗ MetricCardinalityExplosion resolved" in text
    assert "F A I L" in text
    assert all(len(line.rstrip()) <= COLUMNS for line in text.splitlines())
    checks = text.partition(" F A I L ")[0].splitlines()
    phases = {phase.phase.value for phase in judgement.phases}
    assert [line for line in checks if line.strip() and line[0].isalnum()] == [p for p in Phase if p.value in phases]


def test_what_a_fault_raises_during_a_stop_is_declared() -> None:
    """A real run that was held for a minute before `fixed/`: series cost the service memory, and that is told, too."""
    judgement, recording = judged("cardinality/held_a_minute")
    fixed = next(e.t for e in recording.history.of(PhaseStarted) if e.name == Phase.FIXED.value)
    assert any(e.alert == "MetricsServerMemoryGrowth" for e in recording.history.of(Notified, fixed))
    results = {r.name: r.result for p in judgement.phases if p.phase is Phase.FIXED for r in p.results}
    assert results["only declared alerts"] is Result.PASS
    assert Result.FAIL not in results.values()


# Before a run


@pytest.mark.parametrize(("argv", "said"), [
    (["run", "cardinality", "--auto", "3"], "add --stage"),
    (["run", "cardinality", "--stage"], "add --auto SECONDS"),
    (["run", "cardinality", "--stage", "--auto", "1", "--control"], "leave --control away"),
    (["run", "cardinality", "--stage", "--auto", "1", "-q"], "leave --quiet away"),
    (["run", "all", "--stage", "--auto", "1"], "--stage: is for one run"),
    (["run", "missing_metrics", "--all-variants", "--stage"], "--stage: is for one run"),
    (["run", "cardinality", "--stage", "--auto", "-1"], "--auto"),
    (["run", "cardinality", "--stage", "--auto", "nan"], "not between 0 and 3600 seconds"),
    (["run", "cardinality", "--stage", "--auto", "1e12"], "not between 0 and 3600 seconds"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(
    argv: list[str], said: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lab.runner.Run.execute", lambda _: pytest.fail("it was started"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run_cli(argv) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["\n", ""])
def test_enter_begins_the_run(
    answer: str, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the end of the input it goes on, too."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal(answer)

    class Started(KeyboardInterrupt):
        pass

    def execute(run: Run) -> None:
        assert terminal.tell() == len(answer)
        raise Started

    monkeypatch.setattr("lab.runner.Run.execute", execute)
    monkeypatch.setattr("sys.stdin", terminal)
    assert run_cli(["run", "cardinality", "--stage"]) == 130
    assert "S T E A D Y" in capsys.readouterr().err
