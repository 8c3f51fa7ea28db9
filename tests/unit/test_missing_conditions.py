"""Conditions on metrics that are gone: each seen true, and false on an ordinary release and on a fake fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab import signals
from lab.catalog import find
from lab.conditions.missing import Back, Down, Gone, Quiet, Says
from lab.conditions.smoke import SmokeTest
from lab.events import Deployed, Event, GapMeasured, PhaseStarted, ScrapeFailed, SmokeTested
from lab.guards import Scraped, guards
from lab.history import History, Sample
from lab.journal import Header
from lab.judge import evaluate, onset_after
from lab.phases import checks_of
from lab.scenario import Check, Phase, Result
from lab.view import View

HEADER = Header("x", "default", False, "native", 1, 15.0, False, ("A",), ("A",), False, 3.0, 1.0)
BROKEN, FIXED, END = 100, 130, 160
"""Seconds at which the releases are live; each phase begins two seconds earlier, and is settled six seconds later."""
UP, UP_SELF = signals.up("rag"), signals.up("prometheus")
STORY: tuple[Event, ...] = (
    PhaseStarted(80, "steady"), PhaseStarted(BROKEN - 2, "broken"), Deployed(BROKEN, "broken"),
    PhaseStarted(FIXED - 2, "fixed"), Deployed(FIXED, "fixed"),
)  # fmt: skip

State = Callable[[int], bool]


def redeploying(t: int) -> bool:
    return any(live - 2 <= t <= live + 1 for live in (BROKEN, FIXED))


def healthy(t: int) -> bool:
    return not redeploying(t)


def during_the_fault(t: int) -> bool:
    return healthy(t) and not BROKEN <= t <= FIXED


def history(up: State, counted: State, *events: Event, end: int = END) -> History:
    samples = []
    for t in range(80, end):
        values = {UP: float(up(t)), UP_SELF: 1.0}
        if counted(t):
            values |= {signals.COUNTED: 75.0 * t, signals.COUNTED_AGE_S: 0.4}
        samples.append(Sample(float(t), values))
    return History(samples, sorted([*STORY, *events], key=lambda e: e.t))


def view(seen: History, phase: Phase = Phase.BROKEN, now: float = FIXED - 2.5) -> View:
    start = {Phase.BROKEN: BROKEN - 2.0, Phase.FIXED: FIXED - 2.0}[phase]
    return View(seen, HEADER, phase, start, now, closed=True)


def held(condition: Down | Gone, seen: History) -> Result:
    check = Check("x", condition).holds_for(real_s=5).within(real_s=20)
    result = evaluate(check, view(seen))
    assert result is not None
    return result.result


def test_a_target_that_is_down_and_a_metric_that_is_gone_are_seen():
    gone = history(during_the_fault, during_the_fault)
    assert (held(Down("rag"), gone), held(Gone(), gone)) == (Result.PASS, Result.PASS)


def test_the_gap_of_a_redeploy_is_no_symptom():
    well = history(healthy, healthy)
    assert (held(Down("rag"), well), held(Gone(), well)) == (Result.FAIL, Result.FAIL)


def test_a_patient_that_does_not_answer_has_not_lost_the_metric():
    samples = [Sample(s.t, {}) for s in history(healthy, healthy).samples]
    assert Gone().at(view(History(samples, list(STORY))), 110.0) is None


def test_a_symptom_that_begins_with_the_release_counts_from_there():
    seen = history(during_the_fault, during_the_fault)
    assert onset_after(find("missing_metrics").scenario, HEADER, seen) == 0.0


@pytest.mark.parametrize(("counted", "said"), [(healthy, "it has samples"), (during_the_fault, "no samples")])
def test_what_is_gone_is_told_of_the_end_of_a_phase_too(counted: State, said: str):
    """It lies between two looks."""
    seen = view(history(healthy, counted))
    assert [Gone().observed(seen, t) for t in (120.0, 120.5)] == [said, said]
    assert Gone().observed(seen, END + 60.0) == "no answer"
    assert Gone().observed(view(history(healthy, during_the_fault)), FIXED + 2.5) == "it has samples"


def test_quiet_is_up_without_the_metric_and_without_an_error():
    seen = view(history(healthy, during_the_fault))
    assert Quiet("rag").at(seen, 120.0) is True
    assert Quiet("rag").observed(seen, 120.0) == "up == 1, no scrape error, rag_queries_total: no samples"


@pytest.mark.parametrize(
    ("up", "counted", "events"),
    [
        (during_the_fault, during_the_fault, ()),
        (healthy, healthy, ()),
        (healthy, during_the_fault, (ScrapeFailed(112, "rag", "context deadline exceeded"),)),
    ],
    ids=["down", "counted", "a scrape failed"],
)
def test_what_is_not_quiet(up: State, counted: State, events: tuple[Event, ...]):
    assert Quiet("rag").at(view(history(up, counted, *events)), 120.0) is False


def test_the_error_of_the_restart_itself_does_not_make_it_loud():
    refused = ScrapeFailed(BROKEN - 1, "rag", "connection refused")
    assert Quiet("rag").at(view(history(healthy, during_the_fault, refused)), 120.0) is True


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ScrapeFailed(101, "rag", "dial tcp: connect: connection refused"), True),
        (ScrapeFailed(BROKEN - 1, "rag", "dial tcp: connect: connection refused"), False),
        (ScrapeFailed(101, "prometheus", "dial tcp: connect: connection refused"), False),
        (ScrapeFailed(101, "rag", "context deadline exceeded"), False),
    ],
    ids=["after the release", "while it restarts", "another job", "another reason"],
)
def test_the_reason_is_the_patients_own(event: ScrapeFailed, expected: bool):
    seen = view(history(during_the_fault, during_the_fault, event))
    assert Says("rag", ("connection refused", "unsupported Content-Type")).at(seen, 120.0) is expected


def test_either_versions_words_will_do():
    seen = view(history(healthy, healthy, ScrapeFailed(103, "rag", 'received unsupported Content-Type "text/html"')))
    assert Says("rag", ("not a valid start token", "unsupported Content-Type")).at(seen, 120.0) is True


READ_BACK = GapMeasured(FIXED + 2, 97.0, 132.0)


def test_back_tells_the_gap_and_the_outage():
    seen = view(history(during_the_fault, during_the_fault, READ_BACK), Phase.FIXED, END - 1)
    assert Back().at(seen, END - 1.0) is True
    # The fault's release began at 98, the fixed one was live at 130.
    assert Back().observed(seen, END - 1.0) == "gap of 35.0 s (8.8 simulated min), of an outage of 32.0 s"


@pytest.mark.parametrize(
    ("counted", "events", "said"),
    [
        (lambda t: t < BROKEN - 2, (), "still gone"),
        (lambda t: t < BROKEN - 2 or t == FIXED + 2, (READ_BACK,), "gone again"),
        (during_the_fault, (), "the gap was not read back"),
        (during_the_fault, (GapMeasured(FIXED - 3, 97.0, 99.0),), "the gap was not read back"),
    ],
    ids=["nothing came", "it came and went", "not asked", "a gap of before"],
)
def test_what_is_not_back(counted: State, events: tuple[Event, ...], said: str):
    seen = view(history(healthy, counted, *events), Phase.FIXED, END - 1)
    assert (Back().at(seen, END - 1.0), Back().observed(seen, END - 1.0)) == (False, said)
    assert Back().observed(seen, END - 0.5) == said, "between two looks, where a phase ends"


def test_an_alert_that_is_a_consequence_too_is_named_once():
    header = replace(HEADER, own_alerts=("TargetDown",))
    checks = checks_of(find("missing_metrics").scenario, header, Phase.BROKEN)
    assert [c.condition.expected for c in checks if c.name == "only declared alerts"] == ["no alert but TargetDown"]


def test_the_smoke_test_of_this_release_counts_and_no_other():
    made = (SmokeTested(85, 0, "well"), SmokeTested(BROKEN + 1, 1, "missing"), SmokeTested(FIXED + 1, 0, "well"))
    seen = history(healthy, during_the_fault, *made)
    stops, passes = SmokeTest(("rag_queries_total",), 1), SmokeTest(("rag_queries_total",), 0)
    assert [stops.at(view(seen), t) for t in (BROKEN, BROKEN + 1, BROKEN + 9)] == [None, True, True]
    assert passes.at(view(seen), BROKEN + 9) is False
    assert passes.observed(view(seen), BROKEN + 9) == "exit code 1: missing"
    assert passes.at(view(seen, Phase.FIXED, END - 1), END - 1) is True


@pytest.mark.parametrize(
    ("variant", "phase", "may_be_away"),
    [
        ("server_not_started", Phase.STEADY, False),
        ("server_not_started", Phase.BROKEN, True),
        ("server_not_started", Phase.FIXED, True),
        ("metric_renamed", Phase.BROKEN, False),
        ("metric_renamed", Phase.FIXED, False),
    ],
)
def test_only_a_fault_that_takes_the_page_away_excuses_scrapes(variant: str, phase: Phase, may_be_away: bool):
    scenario = find(f"missing_metrics:{variant}").scenario
    scraped = [g.condition for g in guards(scenario, HEADER, phase) if isinstance(g.condition, Scraped)]
    assert [one.jobs for one in scraped] == [("prometheus",), ("rag",)]
    assert {"rag" in one.away for one in scraped} == {may_be_away}
