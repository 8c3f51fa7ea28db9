"""What each check of an incident is for: a recorded passing run with one thing changed does not pass it any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from test_recorded import judged

from lab import signals
from lab.catalog import find
from lab.conditions.books import COSTS
from lab.events import Deployed, Event, Notified, PhaseEnded, PhaseStarted, RunEnded
from lab.history import History, Sample
from lab.judge import judge
from lab.scenario import Result, Verdict

LONGER_S = 60
Change = Callable[[float, dict[str, float]], object]


class Doctored:
    """A recorded run that can be changed from a phase on, and then goes on as it was at the end of that phase."""

    def __init__(self, name: str) -> None:
        _, recording = judged(name)
        assert recording.header is not None
        self.header, self.name = recording.header, name.partition("/")[0]
        self.samples, self.events = list(recording.history.samples), list(recording.history.events)

    def live(self, phase: str) -> float:
        return next(e.t for e in self.events if isinstance(e, Deployed) and e.what == phase)

    def change(self, phase: str, change: Change) -> None:
        """Change the samples of a phase, from its deployment on, in which `t` is 0."""
        zero, end = self.live(phase), self.end(phase)
        self.samples = [self._changed(s, s.t - zero, change) if zero <= s.t <= end else s for s in self.samples]

    @staticmethod
    def _changed(sample: Sample, t: float, change: Change) -> Sample:
        values = dict(sample.values)
        change(t, values)
        return Sample(sample.t, values)

    def end(self, phase: str) -> float:
        return next(e.t for e in self.events if isinstance(e, PhaseEnded) and e.name == phase)

    def without(self, which: Callable[[Event], bool]) -> None:
        self.events = [e for e in self.events if not which(e)]

    def with_event(self, event: Event) -> None:
        self.events.append(event)

    def prolonged(self, phase: str) -> dict[str, Result]:
        """Results of a phase that goes on until every deadline is over; what follows it never was."""
        end = self.end(phase)
        ended = (PhaseEnded, PhaseStarted, RunEnded)
        self.events = [e for e in self.events if e.t < end or (isinstance(e, Notified) and e.t <= end)]
        self.events = [e for e in self.events if not (isinstance(e, ended) and e.t >= end)]
        self.samples = [s for s in self.samples if s.t <= end]
        last, before = self.samples[-1], self.samples[-5]
        steps = {n: (v - before.values[n]) / 4 for n, v in last.values.items() if grows(n) and n in before.values}
        for second in range(1, LONGER_S + 1):
            more = {name: last.values[name] + second * step for name, step in steps.items()}
            self.samples.append(Sample(last.t + second, {**last.values, **more}))
        history = History(self.samples, sorted(self.events, key=lambda e: e.t))
        judgement = judge(find(self.name, self.header.variant).scenario, self.header, history)
        assert judgement.verdict is not Verdict.PASS
        return {r.name: r.result for p in judgement.phases if p.phase.value == phase for r in p.results}


def grows(name: str) -> bool:
    return name in (signals.COUNTED, signals.SPENT_USD) or name.startswith(signals.counted("x")[:-1])


def sets(**values: float) -> Change:
    return lambda _, v: v.update(values)


def stays(mapping: Mapping[str, float]) -> Callable[[Doctored], None]:
    """A value that the fix does not change."""
    return lambda d: d.change("fixed", lambda _, v: v.update(mapping))


def figure(label: str, value: float) -> Callable[[Doctored], None]:
    return stays({signals.figure(label): value})


def silent(alert: str) -> Callable[[Doctored], None]:
    return lambda d: d.without(lambda e: isinstance(e, Notified) and e.alert == alert and e.status == "firing")


def open_(alert: str) -> Callable[[Doctored], None]:
    """Nobody is told that it is over."""
    return lambda d: d.without(lambda e: isinstance(e, Notified) and e.alert == alert and e.status == "resolved")


def refused(phase: str, served: float, failed: float) -> Callable[[Doctored], None]:
    return lambda d: d.change(phase, lambda _, v: v.update({signals.RPS: served, signals.FAILURES: failed}))


def saves_only_the_figure(d: Doctored) -> None:
    """The counter grows at a seventh of what the books say."""
    zero: list[float] = []

    def change(_: float, v: dict[str, float]) -> None:
        if signals.counted(COSTS) in v:
            zero.append(v[signals.counted(COSTS)])
            v[signals.counted(COSTS)] = zero[0] + (v[signals.counted(COSTS)] - zero[0]) / 7

    d.change("fixed", change)


def forgets_the_counter(d: Doctored) -> None:
    d.change("fixed", lambda _, v: v.pop(signals.counted(COSTS), None))


def told_early(d: Doctored) -> None:
    d.with_event(Notified(d.live("broken") + 5, "CostSpike", "firing", "console"))


def nothing_spent(d: Doctored) -> None:
    d.change("broken", lambda _, v: v.update({signals.SPENT_USD: 0.001}))


def alert_too_late(d: Doctored) -> None:
    late = d.end("broken") - 0.5
    d.events = [
        replace(e, t=late) if isinstance(e, Notified) and e.alert == "RateLimitClose" and e.status == "firing" else e
        for e in d.events
    ]


def nameless(d: Doctored) -> None:
    d.events = [
        replace(e, labels={}, annotations={}) if isinstance(e, Notified) and e.alert == "ErrorsOfOneKind" else e
        for e in d.events
    ]


def another_alert(d: Doctored) -> None:
    d.with_event(Notified(d.live("broken") + 5, "HighLatencyP95", "firing", "console"))


BROKEN: dict[tuple[str, str], Callable[[Doctored], None]] = {
    ("rate_limit/blind", "nobody is told"): told_early,
    ("rate_limit/blind", "dollars burnt"): nothing_spent,
    ("rate_limit/blind", "over 50% of requests fail"): refused("broken", 100, 0),
    ("rate_limit/pass", "RateLimitClose delivered"): silent("RateLimitClose"),
    ("rate_limit/pass", "CostSpike delivered"): silent("CostSpike"),
    ("rate_limit/pass", "CallsRefused delivered"): silent("CallsRefused"),
    ("rate_limit/pass", "seen before it hurts"): alert_too_late,
    ("rate_limit/pass", "only declared alerts"): another_alert,
    ("error_burst/pass", "HighErrorRate delivered"): silent("HighErrorRate"),
    ("error_burst/pass", "ErrorsOfOneKind names index_missing"): nameless,
    ("error_burst/pass", "rag says that it is not ready"): lambda d: d.change(
        "broken", lambda _, v: v.update({signals.ready("rag"): 200.0})
    ),
    ("cost_spike/pass", "CostSpike delivered"): silent("CostSpike"),
    ("cost_spike/pass", "PromptsTooLong delivered"): silent("PromptsTooLong"),
    ("cost_spike/pass", "dollars burnt"): nothing_spent,
    ("cost_spike/pass", "queries served"): refused("broken", 90, 10),
    ("quality_drop/pass", "ResponseQualityLow delivered"): silent("ResponseQualityLow"),
    ("quality_drop/pass", "AnswersUseless delivered"): silent("AnswersUseless"),
    ("quality_drop/pass", "over 50% of requests fail"): refused("broken", 100, 0),
    ("quality_drop/pass", "share of failed queries < 0.01"): lambda d: d.change(
        "broken", lambda _, v: v.update({signals.figure("share of failed queries"): 0.2})
    ),
}
FIXED: dict[tuple[str, str], Callable[[Doctored], None]] = {
    ("rate_limit/blind", "RateLimitClose delivered"): silent("RateLimitClose"),
    ("rate_limit/blind", "CostSpike delivered"): silent("CostSpike"),
    ("rate_limit/blind", "US dollars an hour > 30"): figure("US dollars an hour", 5.0),
    ("rate_limit/pass", "cache hit ratio > 0.8"): figure("cache hit ratio", 0.1),
    ("rate_limit/pass", "calls left > 1,000"): lambda d: d.change(
        "fixed", lambda t, v: v.update({signals.figure("calls left"): max(0.0, 2000 - 95 * t)})
    ),
    ("rate_limit/pass", "US dollars an hour < 10"): figure("US dollars an hour", 20.0),
    ("rate_limit/pass", "costs still counted"): saves_only_the_figure,
    ("rate_limit/pass", "queries served"): refused("fixed", 60, 40),
    ("rate_limit/pass", "RateLimitClose resolved"): open_("RateLimitClose"),
    ("rate_limit/pass", "CallsRefused resolved"): open_("CallsRefused"),
    ("error_burst/pass", "queries served"): refused("fixed", 60, 40),
    ("error_burst/pass", "rag says that it is ready"): stays({signals.ready("rag"): 503.0}),
    ("error_burst/pass", "queries still counted"): stays({signals.COUNTED: 1.0}),
    ("error_burst/pass", "HighErrorRate resolved"): open_("HighErrorRate"),
    ("cost_spike/pass", "tokens in a prompt < 1,000"): figure("tokens in a prompt", 1500.0),
    ("cost_spike/pass", "US dollars an hour < 10"): figure("US dollars an hour", 11.0),
    ("cost_spike/pass", "costs still counted"): forgets_the_counter,
    ("cost_spike/pass", "PromptsTooLong resolved"): open_("PromptsTooLong"),
    ("quality_drop/pass", "quality of answers > 0.8"): figure("quality of answers", 0.75),
    ("quality_drop/pass", "queries served"): refused("fixed", 2, 98),
    ("quality_drop/pass", "AnswersUseless resolved"): open_("AnswersUseless"),
}


@pytest.mark.parametrize(("name", "check"), BROKEN)
def test_a_check_of_the_fault_fails_without_it(name: str, check: str) -> None:
    doctored = Doctored(name)
    BROKEN[name, check](doctored)
    assert doctored.prolonged("broken")[check] is Result.FAIL


@pytest.mark.parametrize(("name", "check"), FIXED)
def test_a_check_of_the_cure_fails_without_it(name: str, check: str) -> None:
    doctored = Doctored(name)
    FIXED[name, check](doctored)
    assert doctored.prolonged("fixed")[check] is Result.FAIL
