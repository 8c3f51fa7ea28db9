"""What the live page is told: the report's own parts, of as much of the run as there is."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import signals
from lab.events import Notified
from lab.history import History
from lab.journal import Recording
from lab.judge import Judgement, PhaseResult
from lab.outcome import outcome
from lab.phases import checks_of
from lab.plan import Plan
from lab.report.html.channel import channels
from lab.report.html.charts import charts
from lab.report.html.figures import FORMS
from lab.report.html.headline import Fact
from lab.report.html.marks import bands, marks
from lab.report.html.page import part
from lab.report.html.quotes import quotes
from lab.report.html.report import chart_data, phase_tables
from lab.report.html.timeline import timeline
from lab.scenario import Check, CheckResult, Mode, Phase, Verdict
from lab.stored import Stored
from lab.story import Story
from lab.text import clean
from lab.view import phase_window

_STATES = {signals.INACTIVE: "inactive", signals.PENDING: "pending", signals.FIRING: "firing"}


@dataclass
class Following(Story):
    """Listens to a run, or to several in a row. Thread-safe: the page asks from threads of its own."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _plan: Plan | None = None
    _run_dir: Path = field(default_factory=Path)
    _history: History = field(default_factory=History)
    _phase: Phase | None = None
    _doing: str = "starting"
    _settled: dict[Phase, list[CheckResult]] = field(default_factory=dict)
    _told: tuple[object, dict[str, Any]] | None = None

    def begin(self, plan: Plan, run_dir: Path) -> None:
        """Another run: nothing is known of it yet."""
        with self._lock:
            self._plan, self._run_dir, self._history = plan, run_dir, History()
            self._phase, self._doing, self._settled = None, "starting", {}

    def phase(self, phase: Phase) -> None:
        """What is settled from now on belongs to it."""
        with self._lock:
            self._phase, self._doing = phase, "running"

    def live(self, history: History, plan: Plan) -> None:
        """Keep the snapshot; what to make of it is up to who looks at the page."""
        with self._lock:
            self._history = history

    def settled(self, check: Check, result: CheckResult) -> None:
        """A check has its result."""
        with self._lock:
            if self._phase is not None:
                self._settled.setdefault(self._phase, []).append(result)

    def unwinding(self) -> None:
        """The run is over; its report is being made."""
        with self._lock:
            self._doing = "stopping"

    def state(self) -> dict[str, Any]:
        """The page as of now: parts as HTML, what the charts are drawn from, and what tells whether that grew."""
        with self._lock:
            if self._plan is None:
                top = part("live_top.html", title="The lab", doing="starting", label="", facts=[])
                return {"parts": {"top": top}, "said": "starting"}
            known = (self._run_dir, self._history.end, self._doing, sum(map(len, self._settled.values())))
            if self._told is None or self._told[0] != known:
                self._told = known, self._made(self._plan)
            return self._told[1]

    def _made(self, plan: Plan) -> dict[str, Any]:
        stored = self._stored(plan)
        drawn = charts(stored)
        facts, waiting = self._facts(stored), self._waiting(stored)
        top = part("live_top.html", title=plan.scenario.title, doing=self._doing, label=plan.header.label, facts=facts)
        return {
            "run": str(self._run_dir),
            "said": clean(self._said(stored)),
            "parts": {
                "top": top,
                "timeline": part("timeline.html", timeline=timeline(stored), header=stored.header),
                "channel": part("channel.html", channels=channels(stored), found=stored.outcome),
                "words": part("words.html", quotes=said) if (said := quotes(stored)) else "",
                "checks": part("live_checks.html", phases=phase_tables(stored), waiting=waiting),
            },
            "frame": part("charts.html", charts=drawn),
            "data": chart_data(stored, bands(stored), marks(stored), [chart.to_json() for chart in drawn]),
        }

    def _stored(self, plan: Plan) -> Stored:
        """The run so far, as if it were stored. Nothing is judged here: the runner tells what is settled."""
        history, phases = self._history, []
        for phase in Phase:
            window = phase_window(history, phase)
            if window is not None:
                phases.append(PhaseResult(phase, window[0], window[1], tuple(self._settled.get(phase, ()))))
        found = outcome(plan.header, history, Judgement(tuple(phases), Verdict.INCONCLUSIVE, ""))
        return Stored(self._run_dir, Recording(plan.header, history), plan.header, plan.found, found, "")

    def _waiting(self, stored: Stored) -> list[str]:
        """Checks of this phase that are not settled; those that must hold to its end are not waited for."""
        if self._phase is None or self._doing != "running":
            return []
        done = {result.name for result in self._settled.get(self._phase, ())}
        checks = checks_of(stored.found.scenario, stored.header, self._phase)
        return [check.name for check in checks if check.mode is not Mode.ALWAYS and check.name not in done]

    def _said(self, stored: Stored) -> str:
        """What a screen reader says aloud: it changes with the phase and the alert, not with each look."""
        windows, alert = bands(stored), _own_alert(stored)
        if self._doing != "running" or not windows:
            return f"{stored.header.label}: {self._doing}"
        return f"{windows[-1].name}: alert {alert}" if alert else windows[-1].name

    def _facts(self, stored: Stored) -> list[Fact]:
        history, header = stored.recording.history, stored.header
        now = history.end
        windows = bands(stored)
        last = windows[-1] if windows else None
        found = [Fact("phase", last.name if last else "–", f"{last.end - last.start:.0f} s" if last else "")]
        found.append(Fact("the fault's own alert", _own_alert(stored) or "–"))
        for name, label in ((signals.HEAD_SERIES, "series"), (signals.RPS, "requests a second")):
            value = history.value(name, now)
            found.append(Fact(label, "–" if value is None else FORMS["count"](value)))
        told = sum(1 for n in history.of(Notified) if not n.dry_run)
        return [
            *found,
            Fact("notifications", str(told)),
            Fact("in the run", f"{max(0.0, now - header.started_at):.0f} s"),
        ]


def _own_alert(stored: Stored) -> str:
    """The worst state of the fault's own alerts, in words; empty where none is known."""
    history = stored.recording.history
    states = [history.value(signals.alert_state(name), history.end) for name in stored.header.own_alerts]
    worst = max((state for state in states if state is not None), default=None)
    return _STATES.get(worst, "") if worst is not None else ""
