"""The gap of a metric, from stored samples: exact to the scrape, whatever the lab saw of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import pytest
from histories import header

from lab.events import Deployed, GapMeasured, PhaseStarted
from lab.gaps import Gaps, longest
from lab.history import History
from lab.journal import Journal
from lab.prom import ApiError, Series
from lab.scenario import Phase

FAULT, FIX, LIVE = 100.0, 130.0, 131.0
BEFORE = [97.5, 98.5, 99.5]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([131.5, 132.5], (99.5, 131.5)),
        ([130.9, 131.9], (99.5, 130.9)),  # the page was there before the release was called live
        ([130.9], None),  # nothing yet that is surely of the release
        ([], None),
        ([104.5, 105.5, 131.5], (105.5, 131.5)),  # the gap of the fault's own release is another one
    ],
)
def test_longest(after: list[float], expected: tuple[float, float] | None) -> None:
    assert longest([*BEFORE, *after], FIX, LIVE) == expected


def test_a_longer_gap_of_before_is_another_one() -> None:
    assert longest([50.0, *BEFORE, 131.5], FIX, LIVE) == (99.5, 131.5)


def test_no_sample_before_is_no_gap() -> None:
    assert longest([131.5], FIX, LIVE) is None


class Stack:
    speed = 15.0

    def address(self, name: str) -> str:
        assert name == "prometheus:9090"
        return "127.0.0.1:1"


class Patient:
    """A Prometheus with two series of the counter; `answers` are given in turn."""

    answers: ClassVar[list[Any]] = []
    asked: ClassVar[list[tuple[str, int]]] = []

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def stored(self, selector: str, seconds: int) -> list[Series]:
        self.asked.append((selector, seconds))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [Series({}, tuple((t, 1.0) for t in times)) for times in answer]

    def close(self) -> None:
        pass


@pytest.fixture
def gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gaps:
    monkeypatch.setattr("lab.gaps.Prometheus", Patient)
    monkeypatch.setattr("lab.gaps.PAUSE_S", 0.0)
    Patient.answers, Patient.asked = [], []
    return Gaps(True, Stack(), Journal(tmp_path / "journal.jsonl", header()))  # type: ignore[arg-type]


def told(gaps: Gaps) -> list[tuple[float, float]]:
    return [(e.last, e.first) for e in gaps.journal.history.of(GapMeasured)]


def seen() -> History:
    events = [PhaseStarted(FAULT, "broken"), PhaseStarted(FIX, "fixed"), Deployed(LIVE, "fixed")]
    return History(events=[*events])


def test_it_is_read_once_from_all_series_and_again_until_it_is_there(gaps: Gaps) -> None:
    Patient.answers = [ApiError("not there"), [BEFORE], [[*BEFORE, 132.5], [131.5, 132.5]]]
    for _ in range(5):
        gaps.step(Phase.FIXED, seen())
    assert told(gaps) == [(99.5, 131.5)]
    assert len(Patient.asked) == 3


def test_the_window_begins_before_the_fault(gaps: Gaps) -> None:
    Patient.answers = [[[*BEFORE, 131.5]]]
    gaps.step(Phase.FIXED, seen())
    (asked,) = Patient.asked
    assert asked[0] == "rag_queries_total"
    assert time.time() - asked[1] <= FAULT - 3  # two scrapes and more


@pytest.mark.parametrize("what", ["not wanted", "not the phase", "not live"])
def test_nothing_is_asked(what: str, gaps: Gaps) -> None:
    gaps.wanted = what != "not wanted"
    history = seen()
    if what == "not live":
        history.events = [e for e in history.events if not isinstance(e, Deployed)]
    gaps.step(Phase.BROKEN if what == "not the phase" else Phase.FIXED, history)
    assert (Patient.asked, told(gaps)) == ([], [])
