"""The outcome as JSON: it fits its schema however a run ended, and its times add up."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from histories import header, samples
from test_recorded import EXPECTED, judged

from lab.catalog import find
from lab.events import (
    CulpritFound,
    Deployed,
    Event,
    Exited,
    LogSeen,
    Notified,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    SignalSeen,
    Unmeasured,
)
from lab.history import History
from lab.judge import judge
from lab.outcome import Outcome, outcome, to_json

SCHEMA = json.loads(files("lab.report").joinpath("run.schema.json").read_text())
NOTIFIED = Notified(40.0, "A", "firing", "console", {"x": "y"}, {"summary": "s"}, "2026")
RUN: tuple[Event, ...] = (
    PhaseStarted(10.0, "steady"), Deployed(11.0, "healthy"), PhaseEnded(21.0, "steady"),
    PhaseStarted(21.0, "broken"), Deployed(24.0, "broken", ("metrics.py",)), SignalSeen(34.0, "A"),
    replace(NOTIFIED, t=50.0), NOTIFIED, LogSeen(45.0, "prometheus", "logs/p.log", 7, "no space"),
    LogSeen(46.0, "prometheus", "logs/p.log", 9, "no space"), CulpritFound(41.0, "m", "l", 9),
    PhaseEnded(55.0, "broken"),
    PhaseStarted(55.0, "fixed"), Deployed(57.0, "fixed"), PhaseEnded(70.0, "fixed"), RunEnded(72.0),
)  # fmt: skip


def ended(*events: Event, **changes: Any) -> Outcome:
    """The outcome of a run that consists of these events, with a sample a second."""
    told = header(scenario="cardinality", started_at=5.0, own_alerts=("A",), watched_alerts=("A", "B"), **changes)
    history = History(samples(71), list(events))
    return outcome(told, history, judge(find("cardinality").scenario, told, history))


@pytest.mark.parametrize("name", EXPECTED)
def test_every_recorded_run_fits_the_schema(name: str) -> None:
    judgement, recording = judged(name)
    assert recording.header is not None
    found = to_json(outcome(recording.header, recording.history, judgement))
    jsonschema.validate(found, SCHEMA)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("events", [
    (), RUN[:1], RUN[:5], RUN[:8],
    (*RUN, Exited(60.0, "rag", -9, "signal 9")), (*RUN[:5], Unmeasured(30.0, "interrupted")),
], ids=["empty", "steady", "broken", "detected", "died", "interrupted"])  # fmt: skip
def test_a_run_that_ended_anywhere_fits_the_schema(events: tuple[Event, ...]) -> None:
    found = to_json(ended(*events))
    jsonschema.validate(found, SCHEMA)
    json.dumps(found, allow_nan=False)


def test_the_schema_is_strict() -> None:
    found = to_json(ended(*RUN))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for change in ({"verdict": "maybe"}, {"extra": 1}, {"exit_code": 2}, {"wall_s": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**found, **change}, SCHEMA)
    for name in found:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in found.items() if k != name}, SCHEMA)


def test_the_delays_count_from_the_deployment_to_the_first_arrival() -> None:
    delays = ended(*RUN).delays
    assert (delays.time_to_detect_s, delays.signal_delay_s, delays.pipeline_delay_s) == (16.0, 10.0, 6.0)


@pytest.mark.parametrize("event", [
    replace(NOTIFIED, alert="B"), replace(NOTIFIED, status="resolved"), replace(NOTIFIED, t=23.0),
])  # fmt: skip
def test_what_is_no_detection_is_not_timed(event: Notified) -> None:
    delays = ended(*(e for e in RUN if not isinstance(e, Notified)), event).delays
    assert (delays.time_to_detect_s, delays.pipeline_delay_s) == (None, None)


def test_a_signal_of_another_alert_is_not_the_signal() -> None:
    delays = ended(*(e for e in RUN if not isinstance(e, SignalSeen)), SignalSeen(30.0, "B")).delays
    assert (delays.time_to_detect_s, delays.signal_delay_s, delays.pipeline_delay_s) == (16.0, None, None)


def test_what_was_told_had_a_result_by_then() -> None:
    """The result is read back in steps: it may seem to come after what it made be told."""
    delays = ended(*(e for e in RUN if not isinstance(e, SignalSeen)), SignalSeen(40.2, "A")).delays
    assert (delays.time_to_detect_s, delays.signal_delay_s, delays.pipeline_delay_s) == (16.0, 16.0, 0.0)


def test_overhead_is_what_is_not_waited_for() -> None:
    found = ended(*RUN)
    assert found.wall_s == 72.0 - 5.0
    assert found.delays.waited_s == (21 - 11) + (55 - 24) + (70 - 57)
    assert found.overhead_s == 67.0 - 54.0


def test_evidence_is_the_first_line_of_each_service_and_who_ended() -> None:
    found = ended(*RUN, Exited(60.0, "rag", -9, "signal 9"))
    assert found.evidence == ("logs/p.log:7: no space", "rag ended: signal 9")


def test_notifications_in_order_of_arrival() -> None:
    assert [n["t"] for n in to_json(ended(*RUN))["notifications"]] == [40.0, 50.0]


def test_raised_and_delivered_are_not_the_same() -> None:
    told = header(own_alerts=("A",), watched_alerts=("A", "B", "C"))
    history = History(
        samples(9, **{"alert:B": 2.0, "alert:C": 1.0}), [NOTIFIED, replace(NOTIFIED, alert="C", route="dry-run")]
    )
    found = outcome(told, history, judge(find("cardinality").scenario, told, history))
    assert to_json(found)["alerts"] == {"own": ["A"], "raised": ["B"], "delivered": ["A"]}


def test_an_interrupted_run_says_so_whatever_its_verdict() -> None:
    assert replace(ended(*RUN), interrupted=True).exit_code == 130


def test_time_to_recover_is_that_of_the_last_symptom() -> None:
    judgement, recording = judged("cardinality/pass")
    assert recording.header is not None
    found = outcome(recording.header, recording.history, judgement)
    fixed = next(p for p in judgement.phases if p.phase.value == "fixed")
    live = recording.history.first(Deployed, what="fixed")
    assert live is not None
    last = max(r.since for r in fixed.results if r.since is not None and not r.guard and r.mode.value != "always")
    assert found.delays.time_to_recover_s == last - live.t
    assert ended(*RUN).delays.time_to_recover_s is None
