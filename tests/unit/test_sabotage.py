"""Each of the engine's own checks and guards, seen to fail: a recorded passing run with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from test_recorded import judged

from lab import signals
from lab.catalog import find
from lab.events import CulpritFound, Deployed, Event, Exited, LogSeen, Notified, PhaseEnded, PhaseStarted, Unmeasured
from lab.history import History, Sample
from lab.journal import Header
from lab.judge import judge
from lab.scenario import Result, Verdict

ALERT = "MetricCardinalityExplosion"


class Doctored:
    """The recorded run, ready to be changed."""

    def __init__(self) -> None:
        _, recording = judged("cardinality/pass")
        assert recording.header is not None
        self.header: Header = recording.header
        self.samples = recording.history.samples
        self.events = recording.history.events

    def moment(self, kind: type[Event], **want: object) -> float:
        return next(
            e.t for e in self.events if isinstance(e, kind) and all(getattr(e, k) == v for k, v in want.items())
        )

    @property
    def fixed_at(self) -> float:
        return self.moment(Deployed, what="fixed")

    @property
    def broken_at(self) -> float:
        return self.moment(Deployed, what="broken")

    def values(self, change: Callable[[float, dict[str, float]], object]) -> None:
        """Change the values of every sample in place."""
        fresh = []
        for sample in self.samples:
            values = dict(sample.values)
            change(sample.t, values)
            fresh.append(Sample(sample.t, values))
        self.samples = fresh

    def drop(self, kind: type[Event], which: Callable[[Event], bool] = lambda _: True) -> None:
        self.events = [e for e in self.events if not (isinstance(e, kind) and which(e))]

    def judge(self) -> tuple[Verdict, dict[str, Result]]:
        history = History(self.samples, sorted(self.events, key=lambda e: e.t))
        judgement = judge(find("cardinality").scenario, self.header, history)
        return judgement.verdict, {f"{p.phase.value}: {r.name}": r.result for p in judgement.phases for r in p.results}


def after(moment: float, change: Callable[[dict[str, float]], object]) -> Callable[[float, dict[str, float]], object]:
    return lambda t, values: change(values) if t >= moment else None


def never_delivered(d: Doctored) -> None:
    d.drop(Notified, lambda e: e.status == "firing")  # type: ignore[attr-defined]
    no_more_broken(d)


def late(d: Doctored) -> None:
    hurt = d.moment(LogSeen)
    d.events = [replace(e, t=hurt + 0.6) if isinstance(e, Notified) and e.status == "firing" else e for e in d.events]


def wrong_culprit(d: Doctored) -> None:
    d.events = [replace(e, label="user_id") if isinstance(e, CulpritFound) else e for e in d.events]
    no_more_broken(d)


def no_onset(d: Doctored) -> None:
    d.values(lambda t, v: v.update({signals.HEAD_SERIES: min(9_000, v.get(signals.HEAD_SERIES, 0))}))
    end = d.moment(PhaseEnded, name="broken")
    shift = 60.0  # nothing more happens for a minute: the deadline passes
    d.samples = [s for s in d.samples if s.t <= end]
    last = d.samples[-1]
    d.samples += [Sample(last.t + n, last.values) for n in range(1, int(shift))]
    d.events = [e for e in d.events if e.t < end]


def not_ready(d: Doctored) -> None:
    d.values(after(d.moment(LogSeen), lambda v: v.update({signals.ready("prometheus"): 503.0})))
    no_more_broken(d)


def no_more_broken(d: Doctored) -> None:
    """The broken phase goes on as it was for a minute more, and nothing follows."""
    end = d.moment(PhaseEnded, name="broken")
    d.samples = [s for s in d.samples if s.t <= end]
    last = d.samples[-1]
    d.samples += [Sample(last.t + n, last.values) for n in range(1, 61)]
    d.events = [e for e in d.events if e.t < end]


def head_grows_on(d: Doctored) -> None:
    start = d.fixed_at
    d.values(lambda t, v: v.update({signals.HEAD_SERIES: 600 * (t - start)}) if t > start else None)


def steep_at_first(d: Doctored) -> None:
    """Flat but high: the head never comes down."""
    d.values(after(d.fixed_at, lambda v: v.update({signals.HEAD_SERIES: 12_000.0})))


def counter_deleted(d: Doctored) -> None:
    d.values(after(d.fixed_at, lambda v: (v.pop(signals.COUNTED, None), v.pop(signals.COUNTED_AGE_S, None))))


def counter_constant(d: Doctored) -> None:
    d.values(after(d.fixed_at, lambda v: v.update({signals.COUNTED: 1.0})))


def page_taken_away(d: Doctored) -> None:
    """The fix serves no metrics at all: what nobody scrapes, nobody sees."""
    counter_deleted(d)
    d.values(after(d.fixed_at, lambda v: v.update({signals.seen_up("rag"): 0.0})))


def stale_samples(d: Doctored) -> None:
    d.values(after(d.fixed_at, lambda v: v.update({signals.COUNTED_AGE_S: 30.0})))


def not_resolved(d: Doctored) -> None:
    d.drop(Notified, lambda e: e.status == "resolved")  # type: ignore[attr-defined]


def fires_again(d: Doctored) -> None:
    first = next(e for e in d.events if isinstance(e, Notified) and e.status == "firing")
    d.events.append(replace(first, t=d.fixed_at + 6))
    d.values(after(d.fixed_at + 5, lambda v: v.update({signals.alert_state(ALERT): signals.FIRING})))


def foreign_alert(d: Doctored) -> None:
    d.values(after(d.broken_at + 5, lambda v: v.update({signals.alert_state("HighErrorRate"): signals.FIRING})))


def foreign_alert_told(d: Doctored) -> None:
    d.events.append(Notified(d.broken_at + 5, "HighErrorRate", "firing", "console"))


def fires_in_steady(d: Doctored) -> None:
    d.events.append(Notified(d.moment(PhaseStarted, name="steady") + 4, ALERT, "firing", "console"))


def observer_ill(d: Doctored) -> None:
    d.values(after(d.broken_at + 5, lambda v: v.update({signals.OBSERVER_HEAD_SERIES: 9_000.0})))


FAILURES: dict[str, tuple[Callable[[Doctored], None], str]] = {
    "the alert never arrives": (never_delivered, f"broken: {ALERT} delivered"),
    "the alert comes after the damage": (late, "broken: seen before it hurts"),
    "the wrong culprit is named": (wrong_culprit, "broken: culprit named"),
    "no onset is observed": (no_onset, "broken: head series > 10,000"),
    "the patient says that it is hurt": (not_ready, "broken: prometheus still says ready"),
    "series go on growing": (head_grows_on, "fixed: head series flat"),
    "series stay high": (steep_at_first, "fixed: head series < 10,000"),
    "the counter is deleted": (counter_deleted, "fixed: queries still counted"),
    "the whole page is taken away": (page_taken_away, "fixed: queries still counted"),
    "the counter stands still": (counter_constant, "fixed: queries still counted"),
    "new samples are not stored": (stale_samples, "fixed: new samples queryable"),
    "nobody is told that it is over": (not_resolved, f"fixed: {ALERT} resolved"),
    "the alert fires again": (fires_again, f"fixed: {ALERT} resolved"),
    "another alert fires": (foreign_alert, "broken: only declared alerts"),
    "another alert is delivered": (foreign_alert_told, "broken: only declared alerts"),
    "the alert is delivered before the fault": (fires_in_steady, "steady: nobody notified"),
    "the observer catches the disease": (observer_ill, "broken: observer's own series < 5,000"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_seen(what: str) -> None:
    sabotage, decisive = FAILURES[what]
    doctored = Doctored()
    sabotage(doctored)
    prolong(doctored)
    verdict, results = doctored.judge()
    assert results[decisive] is Result.FAIL, results
    assert verdict is Verdict.FAIL


def prolong(d: Doctored) -> None:
    """Let the last phase go on as it is until every deadline has passed: the recording ends when all was well."""
    last = d.samples[-1]
    d.samples += [Sample(last.t + n, _moved_on(last, n)) for n in range(1, 61)]
    d.drop(PhaseEnded, lambda e: e.name == "fixed")  # type: ignore[attr-defined]
    d.events = [e for e in d.events if e.kind != "run_ended"]


def _moved_on(last: Sample, seconds: int) -> dict[str, float]:
    """What grows in the last sample goes on growing."""
    values = dict(last.values)
    if values.get(signals.HEAD_SERIES, 0) > 13_000:
        values[signals.HEAD_SERIES] += 600.0 * seconds
    if values.get(signals.COUNTED, 0) > 1:
        values[signals.COUNTED] += values.get(signals.RPS, 0) * seconds
    return values


def no_requests(d: Doctored) -> None:
    d.values(lambda t, v: v.update({signals.RPS: 0.0}))


def half_the_requests(d: Doctored) -> None:
    end = d.moment(PhaseEnded, name="broken")
    halve = after(d.broken_at, lambda v: v.update({signals.RPS: v.get(signals.RPS, 0) / 2}))
    d.values(lambda t, v: halve(t, v) if t <= end else None)


def target_down(d: Doctored) -> None:
    d.values(after(d.broken_at, lambda v: v.update({signals.seen_up("rag"): 0.0})))


def patient_down(d: Doctored) -> None:
    d.values(after(d.broken_at, lambda v: v.update({signals.seen_up("prometheus"): 0.0})))


def service_died(d: Doctored) -> None:
    d.events.append(Exited(d.broken_at + 3, "prometheus", -9, "signal 9"))


def sampler_blind(d: Doctored) -> None:
    d.samples = [s for s in d.samples if not d.broken_at + 2 < s.t < d.broken_at + 14]


def evaluations_missed(d: Doctored) -> None:
    d.values(after(d.broken_at + 4, lambda v: v.update({signals.EVALUATION_AGE_S: 12.0})))


def observer_hangs(d: Doctored) -> None:
    """It answers no more, and so its alert never comes: nobody can say that the rule missed."""
    gone = (signals.seen_up(""), signals.alert_state(""), signals.rss(""), signals.EVALUATION_AGE_S)
    after_a_while = d.broken_at + 9
    d.values(lambda t, v: [v.pop(k) for k in list(v) if t > after_a_while and k.startswith(gone)])
    d.drop(Notified)
    no_more_broken(d)


def engine_gone(d: Doctored) -> None:
    d.events.append(Unmeasured(d.broken_at + 3, "the engine is gone"))


DOUBTS: dict[str, tuple[Callable[[Doctored], None], str]] = {
    "no requests": (no_requests, "steady: traffic flowed"),
    "half the requests under the fault": (half_the_requests, "broken: traffic flowed"),
    "the service is not scraped": (target_down, "broken: service was scraped"),
    "the patient is not scraped": (patient_down, "broken: targets were scraped"),
    "a service died unasked": (service_died, "broken: services lived"),
    "the lab did not look": (sampler_blind, "broken: measured throughout"),
    "rules were not evaluated": (evaluations_missed, "broken: rules were evaluated"),
    "the observer hangs": (observer_hangs, "broken: rules were evaluated"),
    "something could not be measured": (engine_gone, "broken: measured throughout"),
}


@pytest.mark.parametrize("what", DOUBTS)
def test_a_doubt_is_neither_pass_nor_fail(what: str) -> None:
    sabotage, guard = DOUBTS[what]
    doctored = Doctored()
    sabotage(doctored)
    verdict, results = doctored.judge()
    assert results[guard] is Result.INCONCLUSIVE, results
    assert verdict is Verdict.INCONCLUSIVE


def test_a_missed_alert_without_traffic_is_not_called_missed() -> None:
    doctored = Doctored()
    half_the_requests(doctored)
    doctored.drop(Notified, lambda e: e.status == "firing")  # type: ignore[attr-defined]
    verdict, results = doctored.judge()
    assert results[f"broken: {ALERT} delivered"] is Result.INCONCLUSIVE
    assert verdict is Verdict.INCONCLUSIVE


def test_a_machine_that_was_too_slow_from_the_start_is_not_blamed_on_the_fault() -> None:
    doctored = Doctored()
    no_onset(doctored)
    assert doctored.judge()[0] is Verdict.FAIL
    doctored.values(lambda t, v: v.update({signals.RPS: v.get(signals.RPS, 0) * 0.6}))
    verdict, results = doctored.judge()
    assert results["steady: traffic flowed"] is Result.INCONCLUSIVE
    assert results["broken: traffic flowed"] is Result.PASS, "it is as slow as before"
    assert results["broken: head series > 10,000"] is Result.INCONCLUSIVE
    assert verdict is Verdict.INCONCLUSIVE


def test_a_fix_without_effect_is_none_on_a_slow_machine_either() -> None:
    doctored = Doctored()
    head_grows_on(doctored)
    prolong(doctored)
    doctored.values(lambda t, v: v.update({signals.RPS: v.get(signals.RPS, 0) * 0.6}))
    verdict, results = doctored.judge()
    assert results["steady: traffic flowed"] is Result.INCONCLUSIVE
    assert results["fixed: head series flat"] is Result.FAIL
    assert verdict is Verdict.FAIL


def test_strict_turns_skipped_into_inconclusive() -> None:
    from lab.events import Skipped
    from lab.scenario import BOUNDED_VOLUME

    doctored = Doctored()
    doctored.events.append(Skipped(0.0, BOUNDED_VOLUME, "not allowed here"))
    assert doctored.judge()[0] is Verdict.PASS
    doctored.header = replace(doctored.header, strict=True)
    assert doctored.judge()[0] is Verdict.INCONCLUSIVE
