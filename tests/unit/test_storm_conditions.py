"""Conditions on the channel, each seen true and seen false."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from lab.conditions.alerts import Delivered, Naming, NotFiring
from lab.conditions.storm import Pairs, Quiet, QuietDays, Tiring, ToldOnce
from lab.events import Deployed, Event, Notified, PhaseStarted, Studied, Switched
from lab.history import History
from lab.journal import Header
from lab.scenario import Phase, Wait
from lab.view import View

LIVE = 1000.0
INCIDENT = LIVE + 45
HEADER = Header(
    "x", "default", False, "native", 1, 15.0, False, ("Meta",), ("Meta", "Other"), False, 3.0, 1.0
)  # fmt: skip


def seen(*events: Event, phase: Phase = Phase.FIXED, now: float = LIVE + 100) -> View:
    what = "fixed" if phase is Phase.FIXED else "broken"
    history = History(events=[PhaseStarted(LIVE - 1, phase.value), Deployed(LIVE, what), *events])  # type: ignore[arg-type]
    return View(history, HEADER, phase, LIVE - 1, now, closed=False)


def told(after: float, status: str = "firing", route: str = "alerts", alert: str = "X", starts: str = "") -> Notified:
    return Notified(LIVE + after, alert, status, route, {"alertname": alert}, {}, starts)  # type: ignore[arg-type]


def rfc3339(after: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(LIVE + after))


START, END = Switched(INCIDENT, {"latency_ms": 900.0}), Switched(INCIDENT + 20, {"latency_ms": None})
ONCE = (told(58), told(78, "resolved"))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((START, END, *ONCE), True),
        ((START, END, *ONCE, told(58, route="console"), told(78, "resolved", route="console")), True),
        ((), None),
        ((START, END), False),  # nobody was told
        ((START, END, ONCE[0]), False),  # not that it is over
        ((START, END, *ONCE, told(90)), False),  # twice
        ((START, END, *ONCE, told(79, "resolved")), False),
        ((START, END, *ONCE, told(58, route="console")), False),  # one channel still waits
        ((START, END, told(58, route="dry-run"), told(78, "resolved", route="dry-run")), False),
        ((START, END, *ONCE, told(60, alert="Meta"), told(60, "resolved", alert="Meta")), True),
        # A group goes on naming what was over before the incident; one that began in it counts.
        ((START, END, *ONCE, told(58, "resolved", starts=rfc3339(2))), True),
        ((START, END, *ONCE, told(58, "resolved", starts=rfc3339(50))), False),
        ((START, END, *ONCE, told(58, "firing", starts=rfc3339(2))), False),
    ],
)
def test_told_once(events: tuple[Event, ...], expected: bool | None):
    view = seen(*events)
    assert ToldOnce().at(view, view.now) is expected


def test_told_once_says_by_channel_and_when():
    assert (
        ToldOnce().observed(seen(START, *ONCE), LIVE + 100) == "#alerts 1 fired, 1 resolved (after 13.0 s and 33.0 s)"
    )
    assert ToldOnce().observed(seen(START), LIVE + 100) == "nobody was told"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((START,), True),
        ((), None),  # the incident has not begun: silence so far
        ((told(25),), False),  # noise is noise before it, too
        ((START, told(10)), True),  # while the old rules' alerts fade
        ((START, told(25)), False),
        ((START, told(25, "resolved")), True),
        ((START, told(25, route="dry-run")), True),
        ((START, told(25, alert="Meta")), True),  # judged by another check
        ((START, told(46)), True),  # of the incident
    ],
)
def test_quiet_from_settled_until_the_incident(events: tuple[Event, ...], expected: bool | None):
    view = seen(*events)
    assert Quiet(Wait(simulated_s=300)).at(view, view.now) is expected


def test_quiet_needs_a_time_in_which_it_could_ring():
    assert Quiet(Wait(simulated_s=675)).at(seen(START), LIVE + 100) is False


def test_quiet_says_how_often_the_dry_run_rang():
    view = seen(START, told(30, route="dry-run"), told(35, "resolved", route="dry-run"))
    assert Quiet(Wait(simulated_s=300)).observed(view, view.now) == "silent for 6.2 min simulated; 1 in the dry run"


STORM = tuple(t for n in range(4) for t in (told(5 + 10 * n), told(10 + 10 * n, "resolved")))


def test_pairs():
    view = seen(*STORM, phase=Phase.BROKEN)
    assert Pairs(4).at(view, LIVE + 40) is True
    assert Pairs(4).at(view, LIVE + 39) is False
    assert Pairs(1).at(seen(told(5), phase=Phase.BROKEN), LIVE + 40) is False
    assert Pairs(4).observed(view, LIVE + 40) == "4 in #alerts, the shortest 1.2 min simulated"


def test_tiring_only_after_its_time_and_only_for_no_incident():
    condition, view = Tiring(12, Wait(simulated_s=600)), seen(*STORM, phase=Phase.BROKEN)
    assert condition.at(view, LIVE + 39) is None
    assert condition.at(view, LIVE + 41) is True
    assert condition.at(seen(*STORM[:2], phase=Phase.BROKEN), LIVE + 41) is False, "two in ten minutes"
    with_incident = seen(*STORM, Switched(LIVE + 4, {"latency_ms": 900.0}), phase=Phase.BROKEN)
    assert condition.at(with_incident, LIVE + 41) is False


BROKEN = Studied(LIVE + 10, "broken", 3, 1714, 1700, 0, 3, 3)
FIXED = Studied(LIVE + 11, "fixed", 3, 3, 0, 1711, 3, 3)


@pytest.mark.parametrize(
    ("broken", "fixed", "expected"),
    [
        (BROKEN, FIXED, True),
        (BROKEN, None, None),
        (BROKEN, replace(FIXED, alerts=14), True),
        (BROKEN, replace(FIXED, alerts=15), False),  # five a day are too many
        (BROKEN, replace(FIXED, alerts=2, seen=2), False),  # an incident missed
        (BROKEN, replace(FIXED, alerts=0, seen=0), False),
        (replace(BROKEN, alerts=14), FIXED, False),  # nothing was broken
    ],
)
def test_quiet_days(broken: Studied, fixed: Studied | None, expected: bool | None):
    view = seen(broken, *((fixed,) if fixed else ()))
    assert QuietDays(5).at(view, view.now) is expected


def test_quiet_days_shows_both_side_by_side():
    said = QuietDays(5).observed(seen(BROKEN, FIXED), LIVE + 100)
    assert said == (
        "broken: 1714 in 3 days, 99% of them under 5 min, 3 of 3 incidents told; "
        "fixed: 3 in 3 days, 0% of them under 5 min, 3 of 3 incidents told"
    )


def test_a_dry_run_is_no_notification():
    dry, real = told(5, route="dry-run", alert="Meta"), told(6, alert="Meta")
    assert Delivered("Meta").at(seen(dry), LIVE + 10) is False
    assert Delivered("Meta").at(seen(dry, real), LIVE + 10) is True
    assert NotFiring().at(seen(dry), LIVE + 10) is True
    assert NotFiring().at(seen(real), LIVE + 10) is False


def test_naming_looks_into_labels_and_annotations():
    def meta(**labels: str) -> View:
        return seen(Notified(LIVE + 5, "Meta", "firing", "console", labels, {"summary": "Noisy began anew."}))

    assert Naming("Meta", "Noisy").at(meta(), LIVE + 6) is True
    assert Naming("Meta", "Noisy").at(meta(), LIVE + 4) is False
    assert Naming("Meta", "Silent").at(meta(flapping="Silent"), LIVE + 6) is True
    assert Naming("Meta", "Another").at(meta(flapping="Silent"), LIVE + 6) is False
    assert Naming("Meta", "Silent").observed(meta(flapping="Silent"), LIVE + 6) == "flapping: Silent"
