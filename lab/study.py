"""A study: the alerting rules of both deployments, as written, on days of back-filled history, beside the live phases.

A throw-away Prometheus holds the days and evaluates each rule's expression at its evaluation interval; `for` is applied
to the answers here. Rules of a dry run are counted apart: nobody hears of them.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lab.backfill import BLOCK_H, blocks
from lab.days import DAY_S, STEP_S, Days, play
from lab.deployment import Deployment
from lab.errors import LabError, StartError
from lab.events import DRY_RUN, Studied, Unmeasured
from lab.fatigue import SHORT
from lab.journal import Journal
from lab.plan import Plan
from lab.prom import Prometheus
from lab.runtime.protocol import Runtime, VolumeSpec
from lab.services import prometheus
from lab.timescale import Duration

NAME = "study"
STEPS_PER_QUERY = 10_000
"""Prometheus answers 11,000 steps at most."""


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
        except (LabError, OSError, subprocess.SubprocessError) as error:
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
                into.add(*numbered)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, enumerate(days.openmetrics(BLOCK_H))))


def _until_ready(client: Prometheus, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while client.status_of("/-/ready") != 200:
        if time.monotonic() > deadline:
            raise StartError(f"the Prometheus of the study is not ready after {timeout_s:.0f} s")
        time.sleep(0.05)


def judge_days(client: Prometheus, deployment: Deployment, days: Days) -> Studied:
    """Evaluate the alerting rules that a deployment brings on the days that a server holds."""
    told: list[Rang] = []
    on_trial = 0
    for rule in _alerting_rules(deployment):
        rang = evaluate(client, str(rule["expr"]), _seconds(rule.get("for")), days)
        if (rule.get("labels") or {}).get("channels") == DRY_RUN:
            on_trial += len(rang)
        else:
            told += rang
    seen = sum(any(r.start < end + SHORT.simulated_s and r.end > begin for r in told) for begin, end in days.incidents)
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


def _alerting_rules(deployment: Deployment) -> Iterator[Mapping[str, Any]]:
    if "rules.yml" not in deployment.files:
        return
    document = yaml.safe_load(deployment.files["rules.yml"].read_text(encoding="utf-8")) or {}
    for group in document.get("groups") or []:
        yield from (rule for rule in group.get("rules") or [] if "alert" in rule)


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
