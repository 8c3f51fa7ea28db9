"""Conditions on memory, ends and scrapes: each seen true, and false on what only looks like a cure."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from histories import killing
from hypothesis import given
from hypothesis import strategies as st

from lab import signals
from lab.conditions.deaths import Killed, OneLife
from lab.conditions.order import Before
from lab.conditions.scrapes import Chokes, NoNewSeries
from lab.conditions.slope import FlatAgain, Grown, Slope, theil_sen
from lab.conditions.workload import StillCounted
from lab.events import Deployed, Event, Exited, Notified, PhaseEnded, PhaseStarted, Restarted, ScrapeFailed
from lab.guards import Lived
from lab.history import History, Sample
from lab.journal import Header, read
from lab.scenario import Check, Phase
from lab.view import View

HEADER = Header("x", "default", False, "native", 1, 15.0, False, ("A",), ("A",), False, 3.0, 1.0)
RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "label_leak"
BROKEN, FIXED, END = 100.0, 200.0, 260.0
"""Seconds at which the deployments are live; `FIXED` is settled at 206 and measured from 208 on."""
LIMIT = "killed by the lab at its memory limit of 192 MiB (193 MiB resident)"


def history(*events: Event, **series: dict[float, float]) -> History:
    """A run: steady to 99, broken to 199, fixed to the end; signals by their name without the service."""
    story: list[Event] = [
        PhaseStarted(80, "steady"), PhaseEnded(98, "steady"), PhaseStarted(99, "broken"), Deployed(BROKEN, "broken"),
        PhaseEnded(198, "broken"), PhaseStarted(199, "fixed"), Deployed(FIXED, "fixed"),
    ]  # fmt: skip
    moments = sorted({t for points in series.values() for t in points})
    samples = [Sample(t, {name: points[t] for name, points in series.items() if t in points}) for t in moments]
    return History(samples, sorted([*story, *events], key=lambda e: e.t))


def view(seen: History, phase: Phase = Phase.FIXED, now: float = END) -> View:
    start = {Phase.STEADY: 80.0, Phase.BROKEN: 99.0, Phase.FIXED: 199.0}[phase]
    return View(seen, HEADER, phase, start, now, closed=False)


def grows(start: float, end: float, per_s: float, base: float = 70e6, noise: float = 0.0) -> dict[float, float]:
    wobble = random.Random(1)
    return {float(t): base + per_s * (t - start) + wobble.gauss(0, noise) for t in range(int(start), int(end))}


RSS = signals.rss("rag")
STEADY = grows(80, 99, 0)
LEAK = grows(101, 126, 2e6) | {126.0: 190e6}
KILL = (Exited(126.5, "rag", -9, LIMIT), Restarted(128, "rag"), Exited(150, "rag", -9, LIMIT), Restarted(151, "rag"))


def leaked(fixed: dict[float, float], *events: Event) -> View:
    return view(history(*KILL, *events, **{RSS: STEADY | LEAK | grows(129, 150, 2e6) | fixed}))


# The slope


def test_theil_sen_on_a_line():
    slope = theil_sen(tuple((float(t), 5 + 3.0 * t) for t in range(20)))
    assert (slope.middle, slope.low, slope.high) == (pytest.approx(3), pytest.approx(3), pytest.approx(3))


def test_theil_sen_is_not_moved_by_a_jump_or_by_outliers():
    flat = [(float(t), 70e6) for t in range(20)]
    assert theil_sen(tuple(flat[:10] + [(t, y + 5e6) for t, y in flat[18:]])).middle == 0
    spoilt = [(t, y + (9e6 if t in (3, 11) else 0)) for t, y in flat]
    assert theil_sen(tuple(spoilt)).middle == 0


def test_theil_sen_interval_holds_the_truth_as_often_as_it_says():
    held = 0
    for seed in range(300):
        noise = random.Random(seed)
        slope = theil_sen(tuple((float(t), 2.0 * t + noise.gauss(0, 10)) for t in range(20)))
        held += slope.low <= 2.0 <= slope.high
    assert 0.90 <= held / 300 <= 0.99


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=30),
    st.floats(-1e6, 1e6), st.floats(0.1, 100), st.floats(-1e9, 1e9),
)  # fmt: skip
def test_theil_sen_moves_with_its_data(values: list[float], tilt: float, scale: float, lift: float):
    points = [(float(t), y) for t, y in enumerate(values)]
    plain = theil_sen(tuple(points))
    moved = theil_sen(tuple((t, scale * y + tilt * t + lift) for t, y in points))
    assert plain.low <= plain.middle <= plain.high
    for a, b in ((plain.low, moved.low), (plain.middle, moved.middle), (plain.high, moved.high)):
        assert math.isclose(scale * a + tilt, b, rel_tol=1e-6, abs_tol=1.0)


def test_theil_sen_needs_two_moments():
    with pytest.raises(ValueError, match="two moments"):
        theil_sen(((1.0, 2.0), (1.0, 3.0)))


# Memory


def test_memory_is_flat_again():
    seen = leaked(grows(201, END, 12e3, noise=20e3))
    condition = FlatAgain("rag")
    assert condition.broken(seen) == Slope(*[pytest.approx(2e6, rel=0.05)] * 3)
    assert condition.at(seen, END) is True
    assert condition.observed(seen, END).endswith("broken +2,000 kB/s")


@pytest.mark.parametrize("per_s", [2e6, 150e3, 101e3])
def test_memory_that_still_grows_is_not_flat(per_s: float):
    assert FlatAgain("rag").at(leaked(grows(201, END, per_s)), END) is False


def test_a_slope_that_could_be_too_much_is_not_flat():
    """The middle is below 5 %, the upper bound is not."""
    seen = leaked(grows(201, END, 60e3, noise=700e3))
    now = FlatAgain("rag").now(seen, END)
    assert now is not None
    assert now.middle < 100e3 < now.high
    assert FlatAgain("rag").at(seen, END) is False


def test_no_slope_is_taken_over_a_restart():
    """Each process leaks, and the restarts pull the line through all of them down."""
    saw = {float(t): 70e6 + 2e6 * ((t - 200) % 12) for t in range(201, int(END))}
    ends = [e for t in (212, 224, 236, 248) for e in (Exited(t - 0.5, "rag", 0, "exit code 0"), Restarted(t, "rag"))]
    assert theil_sen(tuple((t, y) for t, y in saw.items() if t > 215)).middle < 2e6, "blind to it"
    seen = leaked(saw, *ends)
    assert {FlatAgain("rag").at(seen, float(t)) for t in range(200, int(END))} == {None}
    assert FlatAgain("rag").observed(seen, END) == "no process has lived long enough"


def test_memory_says_nothing_before_a_window_has_passed_or_without_a_leak():
    seen = leaked(grows(201, END, 0))
    assert FlatAgain("rag").at(seen, 214) is None
    assert FlatAgain("rag").at(seen, 225) is True
    assert FlatAgain("rag").at(view(history(**{RSS: STEADY | grows(101, 190, 0) | grows(201, END, 0)})), END) is None
    assert FlatAgain("rag").at(view(history(**{RSS: grows(201, END, 0)})), END) is None


def test_the_same_leak_by_another_name_is_not_flat():
    """In a recorded run whose fix labels a request id: until the kill ends that process."""
    recording = read(RECORDED / "request_id.jsonl")
    assert recording.header is not None
    seen, fixed = recording.history, recording.history.first(Deployed, what="fixed")
    assert fixed is not None
    killed = next(seen.of(Exited, fixed.t)).t
    late = View(seen, recording.header, Phase.FIXED, fixed.t, seen.end, closed=False)
    assert {FlatAgain("rag").at(late, killed - back) for back in (1.0, 3.0, 5.0)} == {False}


def test_grown():
    seen = view(history(**{RSS: STEADY | LEAK}), Phase.BROKEN, 130)
    condition = Grown("rag", 30)
    assert condition.at(seen, 110) is False
    assert condition.at(seen, 120) is True
    assert condition.at(seen, 99.5) is None
    assert condition.observed(seen, 120) == "103 MiB, steady 67 MiB"
    assert condition.at(view(history(**{RSS: LEAK}), Phase.BROKEN, 130), 120) is None, "no steady to compare with"


# Ends


def test_killed_and_again():
    seen = view(history(*KILL), Phase.BROKEN, 198)
    assert Killed("rag", 1).at(seen, 126) is False
    assert Killed("rag", 1).at(seen, 127) is True
    assert Killed("rag", 2).at(seen, 149) is False
    assert Killed("rag", 2).at(seen, 150) is True
    assert Killed("rag", 2).observed(seen, 150) == f"{LIMIT}, after 50.0 s"


def test_only_an_end_at_the_limit_counts():
    for how in ("signal 9", "exit code 0", "exit code 1"):
        seen = view(history(Exited(126, "rag", -9, how)), Phase.BROKEN, 198)
        assert Killed("rag", 1).at(seen, 190) is False
    assert Killed("rag", 1).at(view(history(Exited(126, "other", -9, LIMIT)), Phase.BROKEN, 198), 190) is False
    assert Killed("rag", 2).at(view(history(KILL[0], KILL[2]), Phase.BROKEN, 198), 190) is False, "never up again"


COUNTS = {float(t): 150.0 * (t - 200) for t in range(202, int(END))}


def test_one_life():
    assert OneLife("rag").at(view(history(*KILL, **{signals.COUNTED: COUNTS})), END) is True
    assert OneLife("rag").at(view(history(**{signals.COUNTED: COUNTS})), 203) is None
    last_of_the_old = {201.0: 99_000.0} | COUNTS
    assert OneLife("rag").at(view(history(**{signals.COUNTED: last_of_the_old})), END) is True


@pytest.mark.parametrize(
    ("end", "counts"),
    [
        (Exited(212, "rag", 0, "exit code 0"), COUNTS),
        (Exited(203, "rag", 1, "exit code 1"), COUNTS),
        (Exited(240, "rag", -9, LIMIT), COUNTS),
        (None, {t: n if t < 230 else n - 4000 for t, n in COUNTS.items()}),  # the same pid, a new program
        (None, {t: n % 1500 for t, n in COUNTS.items()}),  # a registry that is emptied now and then
    ],
)
def test_starting_anew_is_no_life(end: Event | None, counts: dict[float, float]):
    seen = view(history(*([end] if end else []), **{signals.COUNTED: counts}))
    assert OneLife("rag").at(seen, END) is False
    assert OneLife("rag").at(seen, 202.5) is not False


@pytest.mark.parametrize(
    ("dead", "fine"),
    [
        (Exited(126, "rag", -9, LIMIT), True),
        (Exited(90, "rag", -9, "signal 9"), False),  # before anything was broken
        (Exited(126, "prometheus", -9, "signal 9"), False),
    ],
)
def test_a_service_may_die_of_its_fault_only(dead: Exited, fine: bool):
    assert Lived(killing("rag")).at(view(history(dead), Phase.BROKEN, 198), 190) is fine
    assert Lived(killing()).at(view(history(dead), Phase.BROKEN, 198), 190) is False


def test_the_order_is_of_the_events_not_of_the_ticks():
    class Told(Killed):
        def at(self, view: View, t: float) -> bool | None:
            return any(True for _ in view.history.of(Notified, view.start, t))

    first, then = Check("told", Told("rag", 1)), Check("killed", Killed("rag", 1))
    ticks = {100.0: 0.0, 130.0: 0.0}

    def order(told: float) -> str:
        notified = Notified(told, "A", "firing", "console")
        seen, condition = view(history(notified, *KILL, x=ticks), Phase.BROKEN, 140), Before(first, then)
        return f"{condition.at(seen, 140)}: {condition.observed(seen, 140)}"

    assert order(126.4) == "True: 26.4 s against 26.5 s"
    assert order(126.6) == "False: 26.6 s against 26.5 s"


# Scrapes

TIMED_OUT = ScrapeFailed(117, "rag", 'Get "http://rag:8001/metrics": context deadline exceeded')


def test_scrapes_choke():
    slow = {float(t): (t - 100) / 20 for t in range(101, 130)}
    seen = view(history(TIMED_OUT, *KILL, **{signals.scrape_s("rag"): slow}), Phase.BROKEN, 198)
    condition = Chokes("rag", 0.8)
    assert condition.at(seen, 116) is False
    assert condition.at(seen, 117) is True
    assert condition.observed(seen, 130) == f"{TIMED_OUT.error}, after 17.0 s"
    only_slow = view(history(*KILL, **{signals.scrape_s("rag"): slow}), Phase.BROKEN, 198)
    assert condition.observed(only_slow, 130) == "a scrape took 0.85 s, after 17.0 s"


def test_scrapes_that_fail_because_it_is_dead_do_not_choke():
    refused = ScrapeFailed(117, "rag", "connect: connection refused")
    late = ScrapeFailed(127, "rag", TIMED_OUT.error)
    other = ScrapeFailed(117, "prometheus", TIMED_OUT.error)
    slow_later = {float(t): 0.1 if t < 127 else 5.0 for t in range(101, 140)}
    seen = view(history(refused, late, other, *KILL, **{signals.scrape_s("rag"): slow_later}), Phase.BROKEN, 198)
    assert Chokes("rag", 0.8).at(seen, 190) is False


@pytest.mark.parametrize(
    ("up", "samples", "new", "expected"),
    [(1, 208, 0, True), (1, 208, 16, False), (1, 9000, 1600, False), (0, 0, 0, False), (1, 0, 0, False)],
)
def test_no_new_series(up: float, samples: float, new: float, expected: bool):
    names = (signals.up("rag"), signals.exposed("rag"), signals.added("rag"))
    seen = view(history(**{n: {240.0: v, 203.0: v} for n, v in zip(names, (up, samples, new), strict=True)}))
    assert NoNewSeries("rag").at(seen, 240) is expected
    assert NoNewSeries("rag").at(seen, 203) is None, "not settled"
    assert NoNewSeries("rag").at(seen, 250) is None, "not known"


def test_what_was_cured_must_still_be_there():
    metric = "rag_query_duration_seconds_count"
    rate = {float(t): 150.0 for t in range(202, int(END))}
    there = {signals.counted(metric): COUNTS, signals.COUNTED: COUNTS, signals.RPS: rate}
    gone = {signals.COUNTED: COUNTS, signals.RPS: rate}
    emptied = there | {signals.counted(metric): {t: n % 300 for t, n in COUNTS.items()}}
    assert StillCounted(metric).at(view(history(**there)), 250) is True
    assert StillCounted(metric).at(view(history(**gone)), 250) is False
    assert StillCounted().at(view(history(**gone)), 250) is True
    assert StillCounted(metric).at(view(history(**emptied)), 250) is False
