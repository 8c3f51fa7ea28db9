"""The outcome of a run: verdict, delays, culprit, notifications, evidence; and its JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from lab import signals
from lab.events import (
    CulpritFound,
    Deployed,
    Event,
    Exited,
    LogSeen,
    Notified,
    PhaseStarted,
    ScrapeFailed,
    SignalSeen,
    Studied,
)  # fmt: skip
from lab.fatigue import Fatigue, fatigue_of_fault
from lab.history import History
from lab.journal import Header
from lab.judge import Judgement, PhaseResult
from lab.measured import Measured, measured
from lab.scenario import Phase, Verdict
from lab.view import phase_window


@dataclass(frozen=True)
class Delays:
    """Seconds; None where the run did not get that far."""

    time_to_detect_s: float | None = None
    signal_delay_s: float | None = None
    pipeline_delay_s: float | None = None
    time_to_recover_s: float | None = None
    waited_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a run comes to."""

    header: Header
    judgement: Judgement
    delays: Delays
    culprit: CulpritFound | None
    notifications: tuple[Notified, ...]
    evidence: tuple[str, ...]
    wall_s: float
    fatigue: Fatigue | None = None
    """What the fault's own alerts did to people; None where they told nobody."""
    studied: tuple[Studied, ...] = ()
    measured: Measured = field(default_factory=Measured)
    raised: tuple[str, ...] = ()
    """Watched alerts that fired at a server, whether or not anybody was told."""
    interrupted: bool = False
    run_dir: str = ""

    @property
    def verdict(self) -> Verdict:
        """pass, fail or inconclusive."""
        return self.judgement.verdict

    @property
    def delivered(self) -> tuple[str, ...]:
        """Watched alerts that somebody was told of."""
        told = {n.alert for n in self.notifications if n.status == "firing" and not n.dry_run}
        return tuple(name for name in self.header.watched_alerts if name in told)

    @property
    def exit_code(self) -> int:
        """The command's exit code: 0, 1, 3, or 130 for an interrupted run."""
        return 130 if self.interrupted else self.verdict.exit_code

    @property
    def overhead_s(self) -> float:
        """Wall time outside the declared waits."""
        return max(0.0, self.wall_s - self.delays.waited_s)


def outcome(header: Header, history: History, judgement: Judgement) -> Outcome:
    """Everything but the verdict, from the history."""
    return Outcome(
        header=header,
        judgement=judgement,
        delays=_delays(header, history, judgement),
        culprit=next(history.of(CulpritFound), None),
        notifications=tuple(sorted(history.of(Notified), key=lambda n: n.t)),
        evidence=tuple(_evidence(history)),
        wall_s=max(0.0, history.end - header.started_at),
        fatigue=fatigue_of_fault(header, history),
        studied=tuple(history.of(Studied)),
        measured=measured(header, history),
        raised=_raised(header, history),
    )


def _delays(header: Header, history: History, judgement: Judgement) -> Delays:
    waited = _waited(history)
    live = history.first(Deployed, what="broken")
    if live is None:
        return Delays(waited_s=waited)
    own = [n for n in history.of(Notified, live.t) if n.alert in header.own_alerts and n.status == "firing"]
    first = min(own, key=lambda n: n.t, default=None)
    signal = min((s.t for s in history.of(SignalSeen, live.t) if first and s.alert == first.alert), default=None)
    if first and signal is not None:  # read back in steps: what was told of had a result by then
        signal = min(signal, first.t)
    return Delays(
        time_to_detect_s=first.t - live.t if first else None,
        signal_delay_s=signal - live.t if signal is not None else None,
        pipeline_delay_s=first.t - signal if first and signal is not None else None,
        time_to_recover_s=_recovered_after(history, judgement),
        waited_s=waited,
    )


def _waited(history: History) -> float:
    """Seconds spent in the declared waits: from a deployment being live to the end of its phase."""
    total = 0.0
    for phase in Phase:
        window = phase_window(history, phase)
        if window is None:
            continue
        start, end, _ = window
        what = "healthy" if phase in (Phase.STEADY, Phase.CONTROL) else phase.value
        live = history.first(Deployed, start, what=what)
        total += max(0.0, end - (live.t if live else end))
    return total


def _recovered_after(history: History, judgement: Judgement) -> float | None:
    """From the fix being live until the last of its symptoms was gone; None unless all recovered."""
    live = history.first(Deployed, what="fixed")
    fixed = next((p for p in judgement.phases if p.phase is Phase.FIXED and not math.isnan(p.start)), None)
    if live is None or fixed is None:
        return None
    since = [r.since for r in fixed.results if not r.guard and r.mode.value != "always"]
    known = [s for s in since if s is not None]
    return max(0.0, max(known) - live.t) if known and len(known) == len(since) else None


def _raised(header: Header, history: History) -> tuple[str, ...]:
    states = {signals.alert_state(name): name for name in header.watched_alerts}
    fired: set[str] = set()
    for sample in history.samples:
        if signals.FIRING in sample.values.values():  # in most samples nothing fires
            fired.update(name for state, name in states.items() if sample.values.get(state) == signals.FIRING)
    return tuple(name for name in header.watched_alerts if name in fired)


def _evidence(history: History) -> list[str]:
    """What the servers themselves said: log lines with file and line, failed scrapes, unasked ends."""
    told: dict[str, str] = {}
    for event in history.of(LogSeen):
        told.setdefault(event.service, f"{event.file}:{event.line}: {event.text}")
    live, fixed = history.first(Deployed, what="broken"), history.first(PhaseStarted, name=Phase.FIXED.value)
    for failed in history.of(ScrapeFailed, live.t if live else math.inf, fixed.t if fixed else math.inf):
        why = failed.error.rpartition(": ")[2]  # without the URL and the sockets' ports
        told.setdefault(f"scrape of {failed.job}: {why}", f"scrape of {failed.job}: {failed.error}")
    return [*told.values(), *(f"{e.service} ended: {e.how}" for e in history.of(Exited))]


def to_json(found: Outcome) -> dict[str, Any]:
    """The outcome as published by `lab schema run`."""
    header, delays, started = found.header, found.delays, found.header.started_at
    return {
        "scenario": header.scenario,
        "variant": header.variant,
        "scale": header.scale,
        "control": header.control,
        "runtime": header.runtime,
        "seed": header.seed,
        "speed": header.speed,
        "versions": dict(header.versions),
        "verdict": found.verdict.value,
        "reason": found.judgement.reason,
        "exit_code": found.exit_code,
        "started_at": started,
        "phases": [_phase(phase) for phase in found.judgement.phases],
        "time_to_detect_s": _rounded(delays.time_to_detect_s),
        "signal_delay_s": _rounded(delays.signal_delay_s),
        "pipeline_delay_s": _rounded(delays.pipeline_delay_s),
        "pipeline_budget_s": _rounded(header.pipeline_budget_s),
        "time_to_recover_s": _rounded(delays.time_to_recover_s),
        "overhead_s": _rounded(found.overhead_s),
        "wall_s": _rounded(found.wall_s),
        "measured": _measured(found.measured),
        "culprit": _culprit(found.culprit),
        "notifications": [_event(n) for n in found.notifications],
        "fatigue": _fatigue(found.fatigue),
        "study": [_event(s) for s in found.studied],
        "alerts": {
            "own": list(header.own_alerts),
            "raised": list(found.raised),
            "delivered": list(found.delivered),
        },
        "evidence": list(found.evidence),
        "run_dir": found.run_dir,
    }


def _phase(phase: PhaseResult) -> dict[str, Any]:
    begun = not math.isnan(phase.start)
    return {
        "name": phase.phase.value,
        "started_at": _rounded(phase.start) if begun else None,
        "duration_s": _rounded(phase.end - phase.start) if begun else None,
        "checks": [
            {
                "name": r.name, "mode": r.mode.value, "guard": r.guard, "expected": r.expected,
                "observed": r.observed, "result": r.result.value, "reason": r.reason,
                "after_s": _rounded(r.at - phase.start) if r.at is not None and begun else None,
            }
            for r in phase.results
        ],
    }  # fmt: skip


def _measured(found: Measured) -> dict[str, Any]:
    return {
        "peak_rss_bytes": {name: round(value) for name, value in found.peak_rss_bytes.items()},
        "series_per_s": _rounded(found.series_per_s),
        "series": _rounded(found.series, 0),
        "bytes_per_series": _rounded(found.bytes_per_series, 0),
        "samples_per_s": _rounded(found.samples_per_s, 0),
        "scrape_s": _rounded(found.scrape_s),
        "requests_per_s": _rounded(found.requests_per_s),
        "latency_p95_s": _rounded(found.latency_p95_s, 6),
        "query_p95_before_s": _rounded(found.query_p95_before_s, 6),
        "query_p95_after_s": _rounded(found.query_p95_after_s, 6),
    }


def _culprit(found: CulpritFound | None) -> dict[str, Any] | None:
    return {"metric": found.metric, "label": found.label, "values": found.values} if found else None


def _fatigue(found: Fatigue | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "channel": found.channel,
        "notifications": found.notifications,
        "per_hour": _rounded(found.per_hour),
        "incidents": found.incidents,
        "per_incident": _rounded(found.score),
        "pairs": found.pairs,
        "short_pairs": found.short,
    }


def _event(event: Event) -> dict[str, Any]:
    return asdict(event)


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
