"""The sampler: once a second it asks every server and writes down what they answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from lab import signals
from lab.endpoints import PATIENT
from lab.errors import LabError
from lab.events import CulpritFound, Deployed, LogSeen, Notified, ScrapeFailed, Unmeasured
from lab.history import Sample
from lab.journal import Journal
from lab.load import Traffic
from lab.logs import LogWatch
from lab.prom import AlertRule, ApiError, Prometheus
from lab.restarts import Restarts
from lab.stack import PATIENT_DATA, Stack

TICK_S = 1.0
_STATES = {"inactive": signals.INACTIVE, "pending": signals.PENDING, "firing": signals.FIRING}

_SCRAPED = {
    "up": signals.up,
    "scrape_duration_seconds": signals.scrape_s,
    "scrape_samples_scraped": signals.exposed,
    "scrape_series_added": signals.added,
}

_OWN = {
    "prometheus_tsdb_head_series": signals.HEAD_SERIES,
    "prometheus_tsdb_head_samples_appended_total": signals.APPENDED,
}  # from its raw page: PromQL about them stops with the disk

Values = dict[str, float]


@dataclass
class Sampler:
    """Runs in a thread from `start` to `stop`; whatever a server does not answer is simply not in the sample."""

    stack: Stack
    traffic: Traffic
    journal: Journal
    logs: LogWatch
    own_alerts: tuple[str, ...]
    asks_culprit: bool = True
    """Whether the TSDB is asked what multiplies, when the alert arrives."""
    counters: tuple[str, ...] = ()
    """Counters of the service, beside its queries, that a check compares with the traffic."""
    more: tuple[Callable[[], Values], ...] = ()
    """What else is asked once a second; see `lab.asked`."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _seen: int = 0
    _asked_culprit: bool = False
    _panel_errors: Counter[str] = field(default_factory=Counter)
    _errors: dict[str, str] = field(default_factory=dict)
    _deployed: int = 0
    _watched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._restarts = Restarts(self.stack, self.journal)

    def start(self) -> None:
        """Begin to sample."""
        self.patient = Prometheus(self.stack.address("prometheus:9090"), timeout_s=0.9)
        self.observer = Prometheus(self.stack.address("observer:9090"), timeout_s=0.9)
        self.receiver = httpx.Client(
            base_url=f"http://{self.stack.address('receiver:9099')}", timeout=0.9, trust_env=False
        )
        self._pool = ThreadPoolExecutor(6 + len(self.more), "sampler")
        self._watched = self.journal.header.watched_alerts
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last look and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
            self._restarts.stop()
            self._pool.shutdown(wait=True)
            for client in (self.patient, self.observer, self.receiver):
                client.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            try:
                self.tick()
            except LabError as error:  # the engine is gone
                self.journal.record(Unmeasured(time.time(), str(error)))
                return
            except Exception as error:  # a blind sampler must make the run inconclusive, not hang it
                self.journal.record(Unmeasured(time.time(), f"the sampler failed: {type(error).__name__}: {error}"))
                return
            due += TICK_S
            self._stop.wait(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - TICK_S)

    def tick(self) -> None:
        """One look at everything: events first, so that what a sample proves is never older than it."""
        now = time.time()  # taken first: whatever happened before it is asked for below
        self._exits()
        self._released()
        probes: Iterable[Callable[[], Values]] = (
            self._patient_self, self._patient_counts, self._observer_view, self._rules, self._volume, self._load,
            *self.more,
        )  # fmt: skip
        values: Values = {}
        for answer in self._pool.map(_quietly, probes):
            values.update(answer)
        self._log_lines()
        self._notifications()
        self.journal.record(Sample(now, values))

    # What happened

    def _released(self) -> None:
        """What a release brings is told anew, though errors before it looked the same."""
        deployed = sum(1 for _ in self.journal.history.of(Deployed))
        if deployed != self._deployed:
            self._deployed, self._errors = deployed, {}
            self._panel_errors.clear()
            self.logs.anew()

    def _exits(self) -> None:
        self._restarts.step()
        try:
            self.traffic.check()
        except LabError as error:
            if not any(True for _ in self.journal.history.of(Unmeasured)):
                self.journal.record(Unmeasured(time.time(), str(error)))

    def _log_lines(self) -> None:
        for line in self.logs.fresh():
            self.journal.record(LogSeen(time.time(), line.service, line.file, line.number, line.text))

    def _notifications(self) -> None:
        with suppress(httpx.HTTPError, ValueError):
            body = self.receiver.get("/notifications", params={"since": self._seen}).json()
            self._seen = body["next"]
            for n in body["notifications"]:
                said = Notified(
                    n["at"], n["alert"], n["status"], n["route"], n["labels"], n["annotations"], n["starts_at"]
                )
                self.journal.record(said)
                asks = self.asks_culprit and not self._asked_culprit
                if asks and said.alert in self.own_alerts and said.status == "firing":
                    self._asked_culprit = True
                    self._pool.submit(self._ask_culprit)

    def _ask_culprit(self) -> None:
        """Asked when the alert arrives: after a crash the server can't be asked any more."""
        with suppress(ApiError, IndexError):
            client = Prometheus(self.stack.address("prometheus:9090"), timeout_s=5.0)
            ranked = client.ranked()
            metric = ranked.metrics[0][0]
            candidates = [label for label, _ in ranked.labels if label != "__name__"][:5]
            counts = [(client.label_values(label, metric), label) for label in candidates]
            values, label = max(counts)
            client.close()
            self.journal.record(CulpritFound(time.time(), metric, label, values))

    # What the servers answer

    def _patient_self(self) -> Values:
        found: Values = {signals.ready(PATIENT): float(self.patient.status_of("/-/ready"))}
        told = self.patient.own_metrics(*_OWN)
        found.update({signal: told[name] for name, signal in _OWN.items() if name in told})
        return found

    def _patient_counts(self) -> Values:
        found: Values = {}
        queries = self.stack.queries
        counted = self.patient.query(f"sum({queries})")
        if counted:
            found[signals.COUNTED] = counted[0].value
            age = self.patient.number(f"time() - max(timestamp({queries}))")
            if age is not None:
                found[signals.COUNTED_AGE_S] = age
        for metric in self.counters:
            for point in self.patient.query(f"sum({metric})"):
                found[signals.counted(metric)] = point.value
        for point in self.patient.query('{__name__=~"up|scrape_(duration_seconds|samples_scraped|series_added)"}'):
            found[_SCRAPED[point.labels["__name__"]](point.labels.get("job", ""))] = point.value
        self._scrape_errors(found)
        return found

    def _scrape_errors(self, found: Values) -> None:
        """Asked only while a target is down: the series `up` does not say why."""
        down = any(value == 0 for name, value in found.items() if name.startswith(signals.up("")))
        errors = self.patient.scrape_errors() if down else {}
        for job, error in errors.items():
            if self._errors.get(job) != error:
                self.journal.record(ScrapeFailed(time.time(), job, error))
        self._errors = errors

    def _observer_view(self) -> Values:
        found = {signals.seen_up(p.labels.get("job", "")): p.value for p in self.observer.query("up")}
        for point in self.observer.query("container_memory_working_set_bytes"):
            found[signals.rss(point.labels.get("name", ""))] = point.value
        series = self.observer.head_series()
        if series is not None:
            found[signals.OBSERVER_HEAD_SERIES] = series
        return found

    def _rules(self) -> Values:
        """States of the rules that are watched, of both servers; the worst where both have one of a name."""
        seen = self.observer.alert_rules()  # a rule that no server has is inactive for good: no rules, no alert
        found: Values = dict.fromkeys(map(signals.alert_state, self._watched), signals.INACTIVE)
        for rule in [*seen, *_rules_of(self.patient)]:
            name = signals.alert_state(rule.name)
            if name in found:
                found[name] = max(found[name], _STATES.get(rule.state, signals.INACTIVE))
        evaluated = max((rule.last_evaluation for rule in seen), default=0.0)
        if evaluated:
            found[signals.EVALUATION_AGE_S] = max(0.0, time.time() - evaluated)
        return found

    def _volume(self) -> Values:
        try:
            used, size = self.stack.runtime.usage(PATIENT_DATA)
        except OSError:
            return {}
        return {signals.DISK_USED_BYTES: float(used), signals.DISK_SIZE_BYTES: float(size)}

    def _load(self) -> Values:
        figures = self.traffic.figures()
        if figures is None:
            return {}
        found = {
            signals.RPS: figures.served,
            signals.FAILURES: figures.failed,
            signals.USERS: figures.users,
            signals.P95_S: figures.p95_s,
        }
        if figures.panel_p95_s is not None:
            found[signals.PANEL_P95_S] = figures.panel_p95_s
            found[signals.PANEL_SERVED], found[signals.PANEL_FAILED] = figures.panel_served, figures.panel_failed
            found.update({signals.panel(title): rate for title, rate in figures.panel_titles.items()})
        if figures.panel_error:
            self._panel_errors[figures.panel_error] += 1
            if self._panel_errors[figures.panel_error] <= 3:
                line = figures.panel_error_line
                self.journal.record(
                    LogSeen(time.time(), "dashboard", "logs/load.stats.jsonl", line, figures.panel_error)
                )
        return found


def _rules_of(server: Prometheus) -> list[AlertRule]:
    try:
        return server.alert_rules()
    except ApiError:
        return []


def _quietly(probe: Callable[[], Values]) -> Values:
    try:
        return probe()
    except (LabError, KeyError, ValueError):
        return {}
