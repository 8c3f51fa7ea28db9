"""A study: the alerting rules of both deployments, as written, on days of back-filled history, beside the live phases.

A throw-away Prometheus holds the days and evaluates each rule's expression at its evaluation interval; `for` is applied
to the answers here. Rules of a dry run are counted apart: nobody hears of them.

Nothing is recorded on the days: what a rule reads of recordings is put into its expression. A rule that can't be judged
so makes the study fail, and with it the run inconclusive: that it never fired would be no fault of the fix. The same
holds where an incident was missed and a rule about latency also reads a metric that the days don't have.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lab import serveryaml
from lab.backfill import BLOCK_H, blocks
from lab.days import DAY_S, METRIC, STEP_S, Days, play
from lab.deployment import DEPLOYED_RULES, Deployment
from lab.errors import LabError, StartError
from lab.events import DRY_RUN, Studied, Unmeasured
from lab.fatigue import SHORT
from lab.journal import Journal
from lab.plan import Plan
from lab.prom import Prometheus
from lab.runtime.protocol import Runtime, VolumeSpec
from lab.services import prometheus
from lab.timescale import Duration, TimescaleError
from lab.timescale.recordings import Recording, metrics_in, read_through

NAME = "study"
STEPS_PER_QUERY = 10_000
"""Prometheus answers 11,000 steps at most."""
HELD = frozenset({f"{METRIC}_bucket", f"{METRIC}_count"})
"""The series of the days."""


@dataclass(frozen=True)
class Rang:
    """An alert that fired, in Unix seconds; `end`: the first evaluation at which it did not any more."""

    start: float
    end: float


@dataclass
class StudyRun:
    """The study of one run; `start` begins it, the results come as `Studied` events. A plan without one: nothing."""

    plan: Plan
    runtime: Runtime
    journal: Journal
    run_dir: Path
    _thread: threading.Thread | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self) -> None:
        """Begin in a thread."""
        if self.plan.scenario.study is not None:
            self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """End it early if it still goes on: nothing may write into the run's folders afterwards."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._study()
        except (LabError, OSError, subprocess.SubprocessError, TimescaleError) as error:
            self.journal.record(Unmeasured(time.time(), f"the study failed: {error}"))

    def _study(self) -> None:
        study = self.plan.scenario.study
        assert study is not None
        start = int(time.time()) // DAY_S * DAY_S - study.days * DAY_S
        days = play(self.plan.scenario, study, self.plan.header.seed, start)
        volume = VolumeSpec(f"{NAME}-data")
        data = self.runtime.data_dir(volume)
        self._backfill(days, volume)
        config = self.run_dir / "config" / f"{NAME}.yml"
        config.write_text("global: {}\n", encoding="utf-8")
        server = self.plan.servers.prometheus
        more = {"storage.tsdb.retention.time": "30d"}
        listen = self.runtime.listen(NAME, prometheus.PORT)
        running = self.runtime.start(prometheus.spec(NAME, server, config, data, volume, listen, 1.0, more=more))
        try:
            client = Prometheus(self.runtime.address(NAME, prometheus.PORT), timeout_s=30.0)
            _until_ready(client)
            for deployment in (self.plan.broken, self.plan.fixed):
                if not self._stop.is_set():
                    self.journal.record(judge_days(client, deployment, days))
            client.close()
        finally:
            self.runtime.stop(running)

    def _backfill(self, days: Days, volume: VolumeSpec) -> None:
        """By promtool, two blocks at a time."""
        into = blocks(self.runtime, self.plan.servers.promtool, volume)

        def one(numbered: tuple[int, str]) -> None:
            if not self._stop.is_set():
                number, text = numbered
                into.add(number, text.encode())

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, enumerate(days.openmetrics(BLOCK_H))))


def _until_ready(client: Prometheus, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while client.status_of("/-/ready") != 200:
        if time.monotonic() > deadline:
            raise StartError(f"the Prometheus of the study is not ready after {timeout_s:.0f} s")
        time.sleep(0.05)


def judge_days(client: Prometheus, deployment: Deployment, days: Days) -> Studied:
    """Evaluate the alerting rules that a deployment brings on the days that a server holds.

    Raises `LabError` where they can't be judged.
    """
    told: list[Rang] = []
    on_trial = 0
    rules = alerting_rules(deployment)
    for rule in rules:
        rang = evaluate(client, rule.expr, rule.for_s, days)
        if rule.dry_run:
            on_trial += len(rang)
        else:
            told += rang
    seen = sum(any(r.start < end + SHORT.simulated_s and r.end > begin for r in told) for begin, end in days.incidents)
    if seen < len(days.incidents):
        _refuse_blind(rule for rule in rules if not rule.dry_run)
    assert deployment.what != "healthy"
    return Studied(
        t=time.time(),
        what=deployment.what,
        days=len(days.counts) * STEP_S // DAY_S,
        alerts=len(told),
        short=sum(r.end - r.start < SHORT.simulated_s for r in told),
        on_trial=on_trial,
        incidents=len(days.incidents),
        seen=seen,
    )


@dataclass(frozen=True)
class Alerting:
    """An alerting rule as the study evaluates it."""

    name: str
    expr: str
    for_s: float
    dry_run: bool


def alerting_rules(deployment: Deployment) -> list[Alerting]:
    """Those that a deployment brings, under our names, as written but for recordings: what they compute in their place.

    Recordings of all rule files of the patient are known. Raises `LabError` for a rule that can't do without one.
    """
    files = deployment.prometheus_rules()
    recordings = [_recording(rule) for text in files.values() for rule in _rules(text) if "record" in rule]
    alerts = [rule for rule in _rules(files.get(DEPLOYED_RULES, "")) if "alert" in rule]
    return [_alerting(rule, recordings) for rule in alerts]


def _rules(text: str) -> list[Mapping[str, Any]]:
    groups = (serveryaml.load(text) or {}).get("groups") or []
    return [rule for group in groups for rule in group.get("rules") or []]


def _recording(rule: Mapping[str, Any]) -> Recording:
    labels = {str(name): str(value) for name, value in (rule.get("labels") or {}).items()}
    return Recording(str(rule["record"]), str(rule["expr"]), labels)


def _alerting(rule: Mapping[str, Any], recordings: list[Recording]) -> Alerting:
    name, expr = str(rule["alert"]), str(rule["expr"])
    try:
        expr = read_through(expr, recordings, STEP_S * 1000)
    except TimescaleError as error:
        raise LabError(f"rule {name} can't be judged on back-filled days: {error}") from error
    dry_run = (rule.get("labels") or {}).get("channels") == DRY_RUN
    return Alerting(name, expr, _seconds(rule.get("for")), dry_run)


def _refuse_blind(rules: Iterable[Alerting]) -> None:
    """Raise `LabError` for a rule that may have missed an incident because the days lack a metric it reads.

    Rules about something else than latency would have missed it anyway.
    """
    for rule in rules:
        read = metrics_in(rule.expr)
        lacking = sorted(read - HELD)
        if lacking and any(name.startswith(METRIC) for name in read):
            raise LabError(f"rule {rule.name} can't be judged on back-filled days: they have no {', '.join(lacking)}")


def _seconds(text: object) -> float:
    return Duration.parse(str(text)).seconds if text else 0.0


def evaluate(client: Prometheus, expr: str, for_s: float, days: Days) -> list[Rang]:
    """When an alert of this expression would have fired, by label set."""
    steps = len(days.counts)
    active: dict[str, np.ndarray[Any, np.dtype[np.bool_]]] = {}
    for first in range(0, steps, STEPS_PER_QUERY):
        last = min(first + STEPS_PER_QUERY, steps) - 1
        begin, end = days.start + first * STEP_S, days.start + last * STEP_S
        for series in client.results(expr, begin, end, STEP_S):
            who = str(sorted(series.labels.items()))
            marks = active.setdefault(who, np.zeros(steps, dtype=np.bool_))
            marks[[round((t - days.start) / STEP_S) for t, _ in series.points]] = True
    return [rang for marks in active.values() for rang in rang_of(marks, for_s, days.start)]


def rang_of(marks: np.ndarray[Any, np.dtype[np.bool_]], for_s: float, start: float = 0.0) -> list[Rang]:
    """Stretches that last `for_s` or longer, as Prometheus counts: from the first evaluation that had a result on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    waits = int(np.ceil(for_s / STEP_S))
    return [
        Rang(float(start + (on + waits) * STEP_S), float(start + off * STEP_S))
        for on, off in zip(edges[::2], edges[1::2], strict=True)
        if off - on > waits
    ]
