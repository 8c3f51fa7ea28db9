"""Conditions on metrics that are not there: a target that is down, or up without a metric; and that it is back."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.events import GapMeasured, PhaseStarted, ScrapeFailed
from lab.history import STALE_S
from lab.scenario import Check, Phase
from lab.view import View


@dataclass(frozen=True)
class Down:
    """In the patient's own eyes the target cannot be scraped."""

    job: str

    @property
    def expected(self) -> str:
        """In words."""
        return f'up{{job="{self.job}"}} == 0'

    def at(self, view: View, t: float) -> bool | None:
        """None while the patient does not say."""
        value = view.history.value(signals.up(self.job), t)
        return None if value is None else value == 0.0

    def observed(self, view: View, t: float) -> str:
        """The value."""
        value = view.history.value(signals.up(self.job), t)
        return "no data" if value is None else f"up == {value:.0f}"


@dataclass(frozen=True)
class Gone:
    """The patient answers, and has no sample of the service's counter of queries."""

    @property
    def expected(self) -> str:
        """In words."""
        return f"{signals.QUERIES} has no samples"

    def at(self, view: View, t: float) -> bool | None:
        """Judged at the very tick, not by what was last known. None where the patient does not answer."""
        if not view.history.series(signals.up("prometheus"), t, t):
            return None
        return not view.history.series(signals.COUNTED, t, t)

    def observed(self, view: View, t: float) -> str:
        """Whether there are any; of a moment between two looks, what the last one saw."""
        said = {None: "no answer", True: "no samples", False: "it has samples"}
        looked = view.history.ticks(t - STALE_S, t)
        return said[self.at(view, looked[-1]) if looked else None]


@dataclass(frozen=True)
class Quiet:
    """The counter is gone, and nothing says so: the target is up, no scrape fails."""

    job: str

    @property
    def expected(self) -> str:
        """In words."""
        return f'no error anywhere: up{{job="{self.job}"}} == 1, without {signals.QUERIES}'

    def _errors(self, view: View, t: float) -> list[ScrapeFailed]:
        """Those after the gap that every release has."""
        return [e for e in view.history.of(ScrapeFailed, view.settled, t) if e.job == self.job]

    def at(self, view: View, t: float) -> bool | None:
        """None before the release has settled, and where the patient does not answer."""
        up, gone = view.history.value(signals.up(self.job), t), Gone().at(view, t)
        if up is None or gone is None or t <= view.settled:
            return None
        return up == 1.0 and gone and not self._errors(view, t)

    def observed(self, view: View, t: float) -> str:
        """All three."""
        if errors := self._errors(view, t):
            return errors[0].error
        return f"{Down(self.job).observed(view, t)}, no scrape error, {signals.QUERIES}: {Gone().observed(view, t)}"


@dataclass(frozen=True)
class Says:
    """The patient gives the reason why it cannot scrape a job. `texts`: as one version or the other puts it."""

    job: str
    texts: tuple[str, ...]

    @property
    def expected(self) -> str:
        """In words."""
        return f"Prometheus says of {self.job}: {' or: '.join(self.texts)}"

    def _first(self, view: View, t: float) -> ScrapeFailed | None:
        failed = (e for e in view.history.of(ScrapeFailed, view.zero, t) if e.job == self.job)
        return next((e for e in failed if any(text in e.error for text in self.texts)), None)

    def at(self, view: View, t: float) -> bool | None:
        """True from the first such error after the release on."""
        return self._first(view, t) is not None

    def observed(self, view: View, t: float) -> str:
        """The server's own words."""
        first = self._first(view, t)
        last = max((e for e in view.history.of(ScrapeFailed, view.start, t)), key=lambda e: e.t, default=None)
        return first.error if first else f"another error: {last.error}" if last else "no scrape failed"


@dataclass(frozen=True)
class Back:
    """The counter has samples again; how long it had none is told, from sample to sample."""

    @property
    def expected(self) -> str:
        """In words."""
        return f"{signals.QUERIES} is back; the gap is told"

    def _gap(self, view: View, t: float) -> GapMeasured | None:
        return next(view.history.of(GapMeasured, view.start, t), None)

    def at(self, view: View, t: float) -> bool | None:
        """True while there are samples, once the gap before them was read back."""
        gone = Gone().at(view, t)
        return None if gone is None else not gone and self._gap(view, t) is not None

    def observed(self, view: View, t: float) -> str:
        """The gap in seconds, real and simulated, and the outage: from one release to the other."""
        gap = self._gap(view, t)
        if view.history.value(signals.COUNTED, t) is None:
            return "gone again" if gap else "still gone"
        if gap is None:
            return "the gap was not read back"
        length = gap.first - gap.last
        fault = view.history.first(PhaseStarted, name=Phase.BROKEN.value)
        outage = f", of an outage of {view.zero - fault.t:.1f} s" if fault else ""
        return f"gap of {length:.1f} s ({length * view.header.speed / 60:.1f} simulated min){outage}"


def gone() -> Check:
    """The service's counter of queries has no samples, in the patient's eyes."""
    return Check(f"{signals.QUERIES} gone", Gone())


def back() -> Check:
    """It has samples again, and how long it had none is told."""
    return Check(f"{signals.QUERIES} back", Back())
