"""The story in the terminal: phases as they happen, a live line, the real error text, one table at the end.

Goes to stderr, so that `--json -` leaves stdout to JSON alone. Without a terminal: plain lines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lab import signals
from lab.deployment import Deployment
from lab.endpoints import PATIENT
from lab.events import CulpritFound, LogSeen, Notified
from lab.history import History
from lab.load_elsewhere import Wanted
from lab.outcome import Outcome
from lab.plan import Plan
from lab.scale import QUICK
from lab.scenario import Check, CheckResult, Mode, Phase, Result
from lab.story import Story
from lab.text import clean

MARKS = {
    Result.PASS: ("✓", "green"),
    Result.FAIL: ("✗", "bold red"),
    Result.INCONCLUSIVE: ("?", "yellow"),
    Result.SKIPPED: ("–", "dim"),
}
_TITLES = {
    Phase.STEADY: "the healthy service under load",
    Phase.BROKEN: "broken/ is deployed",
    Phase.FIXED: "fixed/ is deployed, under the same load",
    Phase.CONTROL: "nothing is broken: an ordinary release, and the traffic grows fivefold",
}
_ALERT_WORDS = {signals.INACTIVE: "inactive", signals.PENDING: "pending", signals.FIRING: "FIRING"}
PLAIN_EVERY_S = 5.0
"""Without a terminal, a status line this often."""


class TerminalStory(Story):
    """Tells the run on a console."""

    def __init__(self, console: Console, *, quiet: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.console = console
        self.quiet = quiet
        self._clock = clock
        self._live: Live | None = None
        self._told = 0
        self._quoted: set[str] = set()
        self._plain_at = 0.0
        self._zero = clock()

    # Telling

    def _say(self, text: str) -> None:
        if not self.quiet:
            self.console.print(f"[dim]{self._clock() - self._zero:6.1f}s[/dim]  {text}", highlight=False)

    def begin(self, plan: Plan, run_dir: Path) -> None:
        """What is run, with what, and where it is kept."""
        self._zero = plan.header.started_at
        versions = plan.header.versions
        if not self.quiet:
            self.console.print(f"[bold]{plan.scenario.label}[/bold]: {escape(plan.scenario.title)}", highlight=False)
        self._say(
            f"Prometheus {versions['prometheus']}, Alertmanager {versions['alertmanager']}, {plan.header.runtime}; "
            f"speed {plan.header.speed:g}, seed {plan.header.seed}"
        )
        self._say(f"evidence in {escape(_short(run_dir))}")
        self._live_line()

    def _live_line(self) -> None:
        """Begin a line that changes in place, where there is a terminal."""
        if self.console.is_terminal and not self.quiet:
            self._live = Live(console=self.console, refresh_per_second=4, transient=True)
            self._live.start()

    def _no_live_line(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def workers_wanted(self, wanted: Wanted) -> None:
        """The command as one line to copy, also when quiet: without it the run can't go on."""
        elsewhere = wanted.elsewhere
        many = "one worker" if elsewhere.count == 1 else f"{elsewhere.count} workers"
        where = "where this version of the lab is installed" if elsewhere.open else "in another shell"
        lines = [
            f"waiting {elsewhere.wait_s:g} s for {many} to ask {wanted.target}; run for each, {where}:",
            wanted.command,
        ]
        if elsewhere.open:
            lines.insert(0, f"warning: {elsewhere.host}: whoever reaches it reaches the master and the service")
        for line in lines:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def phase(self, phase: Phase) -> None:
        """A headline."""
        self._say(f"[bold cyan]{phase.value}[/bold cyan]: {_TITLES[phase]}")

    def deployed(self, deployment: Deployment) -> None:
        """Which files went live."""
        files = ", ".join(f"{deployment.what}/{name}" for name in deployment.files)
        self._say(f"  live: {files}")

    def settled(self, check: Check, result: CheckResult) -> None:
        """A check's mark, as it comes."""
        mark, style = MARKS[result.result]
        why = f" ({escape(clean(result.reason))})" if result.reason else ""
        self._say(f"  [{style}]{mark}[/{style}] {escape(clean(check.name))}: {escape(clean(result.observed))}{why}")

    def live(self, history: History, plan: Plan) -> None:
        """The live line, and events that are new."""
        self._events(history)
        line = status_line(history, plan.header.own_alerts)
        if self._live is not None:
            self._live.update(Text.from_markup(f"  {line}"))
        elif self._clock() - self._plain_at >= PLAIN_EVERY_S:
            self._plain_at = self._clock()
            self._say(f"  {line}")

    def _events(self, history: History) -> None:
        fresh = history.events[self._told :]
        self._told = len(history.events)
        for event in fresh:
            if isinstance(event, Notified):
                style = "red" if event.status == "firing" else "green"
                summary = clean(event.annotations.get("summary", ""))
                said = clean(f"#{event.route} {event.status.upper()} {event.alert}")
                self._say(f"  [{style}]{escape(said)}[/{style}]{escape(f': {summary}' if summary else '')}")
            elif isinstance(event, CulpritFound):
                self._say(
                    f"  culprit: {escape(clean(event.metric))}{{{escape(clean(event.label))}}}, {event.values:,} values"
                )
            elif isinstance(event, LogSeen) and event.service not in self._quoted:
                self._quoted.add(event.service)
                self._say(f"  [red]{event.file}:{event.line}[/red]: {escape(clean(event.text)[:400])}")

    def unwinding(self) -> None:
        """Everything is being stopped."""
        self._no_live_line()
        self._say("stopping")

    # The end

    def end(self, outcome: Outcome) -> None:
        """The table, the delays, the verdict."""
        self.console.print(verdict_table(outcome))
        for line in summary_lines(outcome):
            self.console.print(line, highlight=False)


def status_line(history: History, own_alerts: tuple[str, ...]) -> str:
    """Series, disk, requests, memory, alert: the figures of now."""
    now = history.end
    parts = []
    for name, label, form in (
        (signals.HEAD_SERIES, "series", "{:,.0f}"),
        (signals.RPS, "req/s", "{:,.0f}"),
        (signals.FAILURES, "failed/s", "{:,.0f}"),
    ):
        value = history.value(name, now)
        parts.append(f"{label} [bold]{form.format(value) if value is not None else '-'}[/bold]")
    used, size = history.value(signals.DISK_USED_BYTES, now), history.value(signals.DISK_SIZE_BYTES, now)
    if used is not None and size:
        parts.append(f"disk [bold]{used / size:.0%}[/bold] of {size / 2**20:,.4g} MiB")
    for service in ("rag", PATIENT):
        memory = history.value(signals.rss(service), now)
        if memory is not None:
            parts.append(f"{service} [bold]{memory / 2**20:,.0f}[/bold] MiB")
    states = [history.value(signals.alert_state(name), now) for name in own_alerts]
    known = [state for state in states if state is not None]
    parts.append(f"alert [bold]{_ALERT_WORDS[max(known)] if known else '-'}[/bold]")
    return "  ".join(parts)


def verdict_table(outcome: Outcome) -> Table:
    """One row a check: expected, observed, result. Guards only where they do not hold."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column, ratio in (("phase", None), ("check", 3), ("expected", 5), ("observed", 5), ("result", None)):
        table.add_column(column, overflow="fold", ratio=ratio, no_wrap=ratio is None)
    for phase in outcome.judgement.phases:
        if math.isnan(phase.start) and phase.results:
            why = escape(clean(phase.results[0].reason))
            table.add_row(phase.phase.value, "", f"{len(phase.results)} checks", why, "– not reached")
            continue
        for result in phase.results:
            if not (result.guard and result.result is Result.PASS):
                table.add_row(phase.phase.value, *_cells(result))
    return table


def _cells(result: CheckResult) -> tuple[str, str, str, str]:
    mark, style = MARKS[result.result]
    name = f"guard: {result.name}" if result.guard else result.name
    observed = clean(result.observed) + (f" ({clean(result.reason)})" if result.reason else "")
    expected = ("always: " if result.mode is Mode.ALWAYS and not result.guard else "") + clean(result.expected)
    return escape(clean(name)), escape(expected), escape(observed), f"[{style}]{mark} {result.result.value}[/{style}]"


def scale_line(outcome: Outcome) -> str:
    """What a scale measured of the patient."""
    found = outcome.measured

    def said(value: float | None, unit: str) -> str:
        return f"{'-' if value is None else f'{value:,.0f}'} {unit}"

    return (
        f"scale {outcome.header.scale}: {said(found.series, 'series')}, {said(found.bytes_per_series, 'bytes each')};"
        f" {said(found.samples_per_s, 'samples/s')}, the longest scrape {_s(found.scrape_s)}"
    )


def summary_lines(outcome: Outcome) -> list[str]:
    """Delays beside their budget, then the verdict with its reason."""
    d = outcome.delays
    lines = []
    if d.time_to_detect_s is not None:
        lines.append(
            f"time to detect {_s(d.time_to_detect_s)} = signal {_s(d.signal_delay_s)} "
            f"+ pipeline {_s(d.pipeline_delay_s)} (budget of the pipeline {_s(outcome.header.pipeline_budget_s)}); "
            f"simulated {_minutes(d.time_to_detect_s, outcome.header.speed)}"
        )
    if d.time_to_recover_s is not None:
        lines.append(f"time to recover {_s(d.time_to_recover_s)}")
    if outcome.header.scale != QUICK:
        lines.append(scale_line(outcome))
    held = [r for p in outcome.judgement.phases for r in p.results if r.guard and r.result is Result.PASS]
    lines.append(f"wall {_s(outcome.wall_s)}, of it overhead {_s(outcome.overhead_s)}; {len(held)} guards held")
    style = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}[outcome.verdict.value]
    why = f": {escape(clean(outcome.judgement.reason))}" if outcome.judgement.reason else ""
    lines.append(f"[{style}]{outcome.verdict.value.upper()}[/{style}]{why}")
    if outcome.run_dir:
        lines.append(f"[dim]lab analyze {escape(_short(Path(outcome.run_dir)))}[/dim]")
    return lines


def _s(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.1f} s"


def _minutes(seconds: float, speed: float) -> str:
    return f"{seconds * speed / 60:.1f} min"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
