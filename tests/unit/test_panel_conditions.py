"""Conditions on a dashboard and on numbers of the past, each seen true and seen false."""

from __future__ import annotations

import math

import pytest

from lab import signals
from lab.conditions.panels import Agree, AllAnswer, AllFail, KeepWaiting, TellTheSame
from lab.conditions.panels import told as name_of
from lab.dashboard import Dashboard, Panel
from lab.events import Answered, DashboardLive, Deployed, Event, PhaseStarted
from lab.history import History, Sample
from lab.journal import Header
from lab.questions import of_panels
from lab.scenario import Phase
from lab.view import View

LIVE = 1000.0
TITLES = ("Rate", "Errors")
HEADER = Header(
    "x", "default", False, "native", 1, 15.0, False, ("Slow",), ("Slow",), False, 3.0, 1.0
)  # fmt: skip


def seen(seconds: list[dict[str, float]], *events: Event, phase: Phase = Phase.FIXED) -> View:
    """One sample a second from the deployment on; the view is at the last."""
    what = "fixed" if phase is Phase.FIXED else "broken"
    samples = [Sample(LIVE + n, values) for n, values in enumerate(seconds)]
    begun: list[Event] = [PhaseStarted(LIVE - 1, phase.value), Deployed(LIVE, what)]  # type: ignore[arg-type]
    history = History(samples, [DashboardLive(LIVE - 60, "broken", TITLES), *begun, *events])
    return View(history, HEADER, phase, LIVE - 1, LIVE + len(seconds) - 1, closed=False)


def looked(*titles: str, failed: float = 0.0, p95: float = 0.05, served: float | None = None) -> dict[str, float]:
    answered = {signals.panel(title): 1.0 for title in titles}
    count = float(len(titles)) if served is None else served
    return {signals.PANEL_SERVED: count, signals.PANEL_FAILED: failed, signals.PANEL_P95_S: p95, **answered}


IDLE: dict[str, float] = {}
GOOD = [looked(*TITLES) if n % 5 == 2 else IDLE for n in range(12)]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (GOOD, True),
        (GOOD[:10], None),  # not everybody has looked yet
        ([IDLE] * 12, False),  # an emptied dashboard asks nothing
        ([*GOOD[:5], looked("Rate"), *GOOD[6:]], True),
        ([looked("Rate") if n % 5 == 2 else IDLE for n in range(12)], False),  # a panel is gone
        ([looked("Rate", "Failures") if n % 5 == 2 else IDLE for n in range(12)], False),  # renamed
        ([*GOOD[:8], looked("Rate", failed=1.0), *GOOD[9:]], False),
        ([*GOOD[:8], looked("Rate", p95=1.01), *GOOD[9:]], False),
        ([*GOOD[:8], looked("Rate", p95=0.99), *GOOD[9:]], True),
        ([looked("Rate", failed=1.0), *GOOD[1:]], True),  # while the fix went live, longer ago than the window
    ],
)
def test_all_panels_answer(seconds: list[dict[str, float]], expected: bool | None):
    view = seen(seconds)
    assert AllAnswer(1.0).at(view, view.now) is expected


def test_what_viewers_saw_before_the_fix_is_not_its_doing():
    view = seen(GOOD)
    view.history.samples.insert(0, Sample(LIVE - 0.5, looked("Rate", failed=5.0, p95=3.0)))
    assert AllAnswer(1.0).at(view, view.now) is True


def test_without_a_broken_dashboard_nothing_is_known():
    view = seen(GOOD)
    view.history.events.pop(0)
    assert AllAnswer(1.0).at(view, view.now) is None


def test_panels_say_what_is_wrong():
    def said(seconds: list[dict[str, float]]) -> str:
        view = seen(seconds)
        return AllAnswer(1.0).observed(view, view.now)

    assert said(GOOD) == "all answer, p95 0.050 s"
    assert said([looked("Rate")] * 12) == "no data in Errors"
    assert said([looked(*TITLES, failed=1.0, p95=2.0)] * 12) == "1.1 errors a second, p95 2.000 s"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([IDLE, looked(failed=1.0), looked(failed=2.0)], True),
        ([IDLE, looked(failed=2.0)], None),
        ([IDLE] * 12, None),
        ([looked("Rate"), looked(failed=3.0)], False),
        ([looked("Rate"), *[looked(failed=1.0)] * 11], True),  # the last answer is longer ago than the window
        (GOOD, False),
    ],
)
def test_all_panels_fail(seconds: list[dict[str, float]], expected: bool | None):
    view = seen(seconds, phase=Phase.BROKEN)
    assert AllFail().at(view, view.now) is expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (GOOD, False),
        ([*GOOD[:11], looked("Rate", p95=1.01)], True),
        ([*GOOD[:11], looked("Rate", p95=0.99)], False),
        ([*GOOD[:3], looked(failed=1.0, p95=2.0), *GOOD[4:]], True),
        ([IDLE] * 12, True),  # nobody has had an answer
        ([IDLE] * 10, None),  # nobody needs to have had one
        ([looked("Rate"), *[IDLE] * 11], True),
        ([looked("Rate"), *[IDLE] * 9], False),
    ],
)
def test_viewers_keep_waiting(seconds: list[dict[str, float]], expected: bool | None):
    view = seen(seconds, phase=Phase.BROKEN)
    assert KeepWaiting(1.0).at(view, view.now) is expected


def test_nobody_waits_for_a_dashboard_without_panels():
    view = seen([IDLE] * 12, phase=Phase.BROKEN)
    view.history.events[0] = DashboardLive(LIVE - 60, "broken", ())
    assert KeepWaiting(1.0).at(view, view.now) is None
    assert KeepWaiting(1.0).observed(view, view.now) == "no answer yet"


def told(question: str, value: float | None, after: float = 1.0) -> Answered:
    return Answered(LIVE + after, question, LIVE - 400, value)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((told("slow", 100.0), told("fast", 101.9)), True),
        ((told("slow", 100.0), told("fast", 98.1)), True),
        ((told("slow", 100.0), told("fast", 102.1)), False),
        ((told("slow", 100.0), told("fast", 97.9)), False),
        ((told("slow", 100.0), told("fast", None)), False),  # nothing was recorded
        ((told("slow", 100.0), told("fast", None), told("fast", 100.0, 2.0)), True),
        ((told("slow", 100.0),), None),
        ((told("fast", 100.0),), None),
        ((told("slow", None), told("fast", 100.0)), None),
        ((), None),
        ((told("slow", 100.0, -5.0), told("fast", 100.0, -5.0)), None),  # of another phase
    ],
)
def test_two_queries_agree(events: tuple[Event, ...], expected: bool | None):
    view = seen([IDLE] * 12, *events)
    assert Agree("slow", "fast", 0.02).at(view, view.now) is expected


def test_agreement_shows_both_numbers():
    view = seen([IDLE] * 12, told("slow", 60.0), told("fast", 60.3))
    assert Agree("slow", "fast", 0.02).observed(view, view.now) == "60.300 against 60.000 (+0.50%)"
    view = seen([IDLE] * 12, told("slow", 60.0), told("fast", None))
    assert Agree("slow", "fast", 0.02).observed(view, view.now) == "no result, against 60.000"


def said(rate: float | None, errors: float | None = None, what: str = "fixed", after: float = 2.0) -> tuple[Event, ...]:
    """Answers about the two panels."""
    return tuple(told(name_of(title, what), v, after) for title, v in zip(TITLES, (rate, errors), strict=True))


SAID = said(60.0, 0.006, "broken")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((*SAID, *said(60.0, 0.006)), True),
        ((*SAID, *said(60.9, 0.0061)), True),
        ((*SAID, *said(61.3, 0.006)), False),
        ((*SAID, *said(60.0, 0.0062)), False),
        ((*SAID, *said(1.0, 1.0)), False),  # vector(1) under every title
        ((*SAID, *said(60.0, None)), False),
        ((*SAID, *said(math.nan, 0.006)), False),
        ((*SAID, *said(60.0, math.inf)), False),
        ((*said(math.nan, 0.006, "broken"), *said(60.0, 0.006)), None),
        ((*SAID, *said(60.0, None), *said(60.0, 0.006, after=3.0)), True),
        ((*SAID, *said(60.0)[:1]), None),  # one of them was not asked: renamed, or the server did not answer
        ((*SAID, *said(1.0)[:1]), False),
        (said(60.0, 0.006), None),
        ((*said(60.0, 0.0, "broken"), *said(60.0, 0.0)), True),
        ((*said(60.0, 0.0, "broken"), *said(60.0, 0.1)), False),
        ((*said(60.0, None, "broken"), *said(60.0, 0.1)), None),
        ((*SAID, *said(60.0, 0.006, after=-5.0)), None),  # of another phase
        ((), None),
    ],
)
def test_panels_tell_the_same(events: tuple[Event, ...], expected: bool | None):
    view = seen([IDLE] * 12, *events)
    assert TellTheSame(0.02).at(view, view.now) is expected


def test_panels_that_differ_are_shown():
    view = seen([IDLE] * 12, *SAID, *said(60.0, 0.012))
    assert TellTheSame(0.02).observed(view, view.now) == "2 of 2 panels; furthest off: Errors, 0.012 against 0.006"
    view = seen([IDLE] * 12, *SAID, *said(60.0, None))
    assert TellTheSame(0.02).observed(view, view.now) == "2 of 2 panels; furthest off: Errors, no data against 0.006"
    view = seen([IDLE] * 12)
    assert TellTheSame(0.02).observed(view, view.now) == "no panel has an answer"


def test_panels_are_asked_for_by_their_titles():
    def board(*panels: Panel) -> Dashboard:
        return Dashboard(panels, 86_400.0, 5.0)

    broken = board(Panel("Rate", ("rate(a[24h])",), 100), Panel("Gone", ("b",), 100), Panel("Emptied", ("c",), 100))
    fixed = board(Panel("Rate", ("r", "s"), 100), Panel("New", ("b",), 100), Panel("Emptied", (), 100))
    assert of_panels(broken, fixed) == {
        name_of("Rate", "broken"): "sum(rate(a[24h]))",
        name_of("Rate", "fixed"): "sum(avg_over_time((sum(r) + sum(s))[86400s:5m]))",
    }
