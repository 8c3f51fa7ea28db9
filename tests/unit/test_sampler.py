"""The sampler: what is not answered is not in a sample, and a blind sampler says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import header

from lab import signals
from lab.errors import LabError, LoadError
from lab.events import CulpritFound, Deployed, Exited, LogSeen, Notified, Unmeasured
from lab.journal import Journal
from lab.load import Figures
from lab.logs import LogWatch
from lab.prom import AlertRule, ApiError, Point, Ranked
from lab.sampler import Sampler


class Server:
    """A Prometheus that answers what it is given; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"own_metrics": {}, **answers}

    def __getattr__(self, name: str) -> Any:
        def answer(*args: Any) -> Any:
            found = self.answers.get(name)
            if isinstance(found, Exception):
                raise found
            return found(*args) if callable(found) else found

        return answer


class Receiver:
    def __init__(self) -> None:
        self.arrived: list[dict[str, Any]] = []
        self.asked: list[int] = []

    def get(self, _path: str, params: dict[str, int]) -> Receiver:
        self.asked.append(params["since"])
        return self

    def json(self) -> dict[str, Any]:
        return {"next": len(self.arrived), "notifications": self.arrived[self.asked[-1] :]}


class Stack:
    """No services; `dead` are told once."""

    class scenario:  # noqa: N801
        restarts = False
        dies: tuple[str, ...] = ()

    class runtime:  # noqa: N801
        @staticmethod
        def usage(volume: str) -> tuple[int, int]:
            return 5, 10

    queries = "rag_queries_total"

    def __init__(self) -> None:
        self.dead: list[tuple[str, int, str]] = []

    def ended(self) -> list[tuple[str, int, str]]:
        told, self.dead = self.dead, []
        return told


class Generator:
    def __init__(self) -> None:
        self.error: LabError | None = None
        self.now: Figures | None = Figures(t=0.0, users=3, served=300.0, failed=1.0, p95_s=0.1)

    def check(self) -> None:
        if self.error:
            raise self.error

    def figures(self) -> Figures | None:
        return self.now


def rule(name: str, state: str, ago_s: float = 0.5) -> AlertRule:
    return AlertRule(name, state, "x", "ok", "", time.time() - ago_s, "g")


def points(*values: float) -> list[Point]:
    return [Point({"job": "rag", "name": "rag", "__name__": "up"}, 0.0, v) for v in values]


@pytest.fixture
def sampler(tmp_path: Path) -> Iterator[Sampler]:
    from concurrent.futures import ThreadPoolExecutor

    journal = Journal(tmp_path / "j", header(watched_alerts=("A", "B")))

    class Quiet:
        def fresh(self) -> list[Any]:
            return []

        def anew(self) -> None:
            pass

    def own(*names: str) -> dict[str, float]:
        known = {"prometheus_tsdb_head_series": 123.0, "prometheus_tsdb_head_samples_appended_total": 456.0}
        return {name: known[name] for name in names if name in known}

    found = Sampler(Stack(), Generator(), journal, Quiet(), ("A",))  # type: ignore[arg-type]
    found.patient = Server(  # type: ignore[assignment]
        status_of=200, own_metrics=own, query=points(1.0), number=0.5, alert_rules=[], scrape_errors={}
    )
    found.observer = Server(query=points(1.0), head_series=9.0, alert_rules=[rule("A", "pending")])  # type: ignore[assignment]
    found.receiver = Receiver()  # type: ignore[assignment]
    found._pool = ThreadPoolExecutor(2)
    found._watched = journal.header.watched_alerts
    yield found
    found._pool.shutdown()
    journal.close()


def values(sampler: Sampler) -> dict[str, float]:
    sampler.tick()
    return dict(sampler.journal.history.samples[-1].values)


def test_a_sample_holds_what_everybody_answered(sampler: Sampler) -> None:
    found = values(sampler)
    assert (found[signals.HEAD_SERIES], found[signals.APPENDED]) == (123.0, 456.0)
    assert found[signals.ready("prometheus")] == 200.0
    assert (found[signals.COUNTED], found[signals.COUNTED_AGE_S]) == (1.0, 0.5)
    assert (found[signals.up("rag")], found[signals.seen_up("rag")], found[signals.rss("rag")]) == (1.0, 1.0, 1.0)
    assert (found[signals.DISK_USED_BYTES], found[signals.DISK_SIZE_BYTES]) == (5.0, 10.0)
    assert (found[signals.RPS], found[signals.FAILURES], found[signals.USERS]) == (300.0, 1.0, 3.0)
    assert 0.5 <= found[signals.EVALUATION_AGE_S] < 2.0


def test_who_does_not_answer_is_not_in_it_and_the_others_are(sampler: Sampler) -> None:
    sampler.observer = Server(query=ApiError("x"), alert_rules=ApiError("x"))  # type: ignore[assignment]
    sampler.traffic.now = None  # type: ignore[attr-defined]
    found = values(sampler)
    assert signals.HEAD_SERIES in found
    for name in (signals.seen_up("rag"), signals.EVALUATION_AGE_S, signals.alert_state("A"), signals.RPS):
        assert name not in found


def test_a_rule_that_no_server_has_is_inactive_and_the_worst_state_counts(sampler: Sampler) -> None:
    sampler.observer = Server(query=[], alert_rules=[rule("A", "inactive"), rule("Z", "firing")])  # type: ignore[assignment]
    sampler.patient = Server(  # type: ignore[assignment]
        status_of=200, query=[], alert_rules=[rule("A", "firing"), rule("A", "pending")]
    )
    found = values(sampler)
    assert found[signals.alert_state("A")] == signals.FIRING
    assert found[signals.alert_state("B")] == signals.INACTIVE
    assert signals.alert_state("Z") not in found


def test_a_patient_that_is_ill_does_not_hide_the_observers_rules(sampler: Sampler) -> None:
    sampler.patient = Server(status_of=0, query=ApiError("x"), alert_rules=ApiError("x"))  # type: ignore[assignment]
    found = values(sampler)
    assert found[signals.alert_state("A")] == signals.PENDING
    assert found[signals.ready("prometheus")] == 0.0


def arrived(alert: str, status: str = "firing") -> dict[str, Any]:
    return {
        "at": 5.0, "alert": alert, "status": status, "route": "r", "labels": {}, "annotations": {}, "starts_at": "",
    }  # fmt: skip


def test_notifications_are_told_once_and_before_their_sample(sampler: Sampler) -> None:
    sampler.receiver.arrived.append(arrived("A"))  # type: ignore[attr-defined]
    sampler.tick()
    sampler.receiver.arrived.append(arrived("B"))  # type: ignore[attr-defined]
    sampler.tick()
    sampler.tick()
    assert [n.alert for n in sampler.journal.history.of(Notified)] == ["A", "B"]
    assert sampler.receiver.asked == [0, 1, 2]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("alert", "status", "asks", "times"), [
    ("A", "firing", True, 1), ("B", "firing", True, 0), ("A", "resolved", True, 0), ("A", "firing", False, 0),
])  # fmt: skip
def test_the_culprit_is_asked_for_when_our_alert_arrives(
    alert: str, status: str, asks: bool, times: int, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"user_id": 5, "query_text": 900}
    server = Server(
        ranked=Ranked((("m", 900),), (("__name__", 9999), ("user_id", 5), ("query_text", 900))),
        label_values=lambda label, metric: counts[label],
    )
    monkeypatch.setattr("lab.sampler.Prometheus", lambda *_, **__: server)
    sampler.stack.address = lambda _: "x"  # type: ignore[method-assign]
    sampler.asks_culprit = asks
    sampler.receiver.arrived += [arrived(alert, status)] * 2  # type: ignore[attr-defined]
    sampler.tick()
    sampler._pool.shutdown()
    found = list(sampler.journal.history.of(CulpritFound))
    assert [(c.metric, c.label, c.values) for c in found] == [("m", "query_text", 900)] * times


def test_a_panel_error_is_recorded_three_times_a_text_and_anew_after_a_release(sampler: Sampler) -> None:
    def told(*errors: str) -> list[str]:
        before = len(list(sampler.journal.history.of(LogSeen)))
        for error in errors:
            sampler.traffic.now = Figures(0.0, 3, 1.0, 0.0, 0.1, panel_p95_s=1.0, panel_error=error)  # type: ignore[attr-defined]
            sampler.tick()
        return [e.text for e in sampler.journal.history.of(LogSeen)][before:]

    assert told(*["No data"] * 5, "timeout", "", "timeout") == ["No data"] * 3 + ["timeout"] * 2
    sampler.journal.record(Deployed(time.time(), "broken"))
    assert told("No data", *["timeout"] * 4) == ["No data", *["timeout"] * 3]


def test_log_lines_are_told_anew_after_a_release(sampler: Sampler, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "rag.log"
    log.touch()
    sampler.logs = LogWatch(tmp_path, [("rag", "full")])

    def told(lines: int) -> int:
        before = len(list(sampler.journal.history.of(LogSeen)))
        with log.open("a") as out:
            out.write("full\n" * lines)
        sampler.tick()
        return len(list(sampler.journal.history.of(LogSeen))) - before

    assert (told(5), told(5)) == (3, 0)
    sampler.journal.record(Deployed(time.time(), "broken"))
    assert told(5) == 3


def test_an_end_is_recorded_with_how(sampler: Sampler) -> None:
    sampler.stack.dead = [("rag", -9, "signal 9")]  # type: ignore[attr-defined]
    sampler.tick()
    sampler.tick()
    assert [(e.service, e.code, e.how) for e in sampler.journal.history.of(Exited)] == [("rag", -9, "signal 9")]


def test_traffic_that_ended_is_unmeasured_once(sampler: Sampler) -> None:
    sampler.traffic.error = LoadError("the load generator ended")  # type: ignore[attr-defined]
    sampler.tick()
    sampler.tick()
    assert [e.reason for e in sampler.journal.history.of(Unmeasured)] == ["the load generator ended"]


def test_a_sampler_that_fails_says_so_and_ends(sampler: Sampler) -> None:
    sampler.observer = Server(query=RuntimeError("boom"))  # type: ignore[assignment]
    thread = threading.Thread(target=sampler._run)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert [e.reason for e in sampler.journal.history.of(Unmeasured)] == ["the sampler failed: RuntimeError: boom"]
