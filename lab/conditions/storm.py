"""Conditions on the channel: a storm of notifications, silence on noise, one message for a real incident."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lab.events import Notified, Studied
from lab.fatigue import Fatigue, fatigue_of, incidents_of
from lab.prom import unix
from lab.scenario import Check, Mode, Wait
from lab.view import View


def told(view: View, start: float, end: float) -> list[Notified]:
    """What people were told in [start, end], but for the alerts about the monitoring itself, which are judged apart."""
    mine = view.header.watched_alerts
    return [n for n in view.history.of(Notified, start, end) if not n.dry_run and n.alert not in mine]


@dataclass(frozen=True)
class Pairs:
    """So many alerts were delivered as firing and then as resolved, in one channel."""

    least: int

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.least} fire/resolve {'pair' if self.least == 1 else 'pairs'} or more in a channel"

    def _seen(self, view: View, t: float) -> Fatigue:
        return fatigue_of(view.history, view.header.speed, view.zero, t, view.header.watched_alerts)

    def at(self, view: View, t: float) -> bool | None:
        """True from the last of them on."""
        return self._seen(view, t).pairs >= self.least

    def observed(self, view: View, t: float) -> str:
        """How many, and the shortest."""
        seen = self._seen(view, t)
        lengths = [e.resolved - e.fired for e in seen.episodes if e.resolved is not None]
        if not lengths:
            return f"{len(seen.episodes)} fired, none resolved"
        return (
            f"{len(lengths)} in #{seen.channel}, the shortest {min(lengths) * view.header.speed / 60:.1f} min simulated"
        )


@dataclass(frozen=True)
class Tiring:
    """A channel carries more notifications an hour than `per_hour`, counted over `over` from the deployment on."""

    per_hour: float
    over: Wait

    @property
    def expected(self) -> str:
        """In words."""
        return f"over {self.per_hour:g} notifications a simulated hour, for no incident"

    def _seen(self, view: View, t: float) -> Fatigue:
        return fatigue_of(view.history, view.header.speed, view.zero, t, view.header.watched_alerts)

    def at(self, view: View, t: float) -> bool | None:
        """None until the time is over."""
        if t < view.zero + self.over.seconds(view.header.speed):
            return None
        seen = self._seen(view, t)
        return seen.per_hour > self.per_hour and seen.score is None

    def observed(self, view: View, t: float) -> str:
        """The channel, the rate, the score."""
        return str(self._seen(view, t))


@dataclass(frozen=True)
class Quiet:
    """From `settle` after the deployment until the incident begins nobody is told that anything fires.

    Before that, alerts of rules that are gone still live at Alertmanager, for four times the resend delay.
    """

    settle: Wait
    expected: str = "nobody is told of noise until there is an incident"

    def _window(self, view: View, t: float) -> tuple[float, float, bool]:
        """From, until, and whether that is the incident's beginning."""
        begun = [start for start, _ in incidents_of(view.history, view.zero, t)]
        return view.zero + self.settle.seconds(view.header.speed), begun[0] if begun else t, bool(begun)

    def _noise(self, view: View, t: float) -> list[Notified]:
        start, end, _ = self._window(view, t)
        return [n for n in told(view, start, end) if n.status == "firing"]

    def at(self, view: View, t: float) -> bool | None:
        """False from the first noise on; None while it is silent, until the incident begins."""
        start, end, begun = self._window(view, t)
        if self._noise(view, t) or (begun and end <= start):
            return False
        return True if begun else None

    def observed(self, view: View, t: float) -> str:
        """For how long, and how often what was only written down would have fired."""
        start, end, begun = self._window(view, t)
        if noise := self._noise(view, t):
            return f"{len(noise)} told: {', '.join(sorted({n.alert for n in noise}))}"
        if not begun:
            return "silent so far, no incident yet"
        dry = [n for n in view.history.of(Notified, start, end) if n.dry_run and n.status == "firing"]
        length = (end - start) * view.header.speed / 60
        return f"silent for {length:.1f} min simulated; {len(dry)} in the dry run"


@dataclass(frozen=True)
class ToldOnce:
    """From the beginning of the incident on, every channel that hears of it is told once that it fires, then once
    that it is over; and somebody hears of it."""

    expected: str = "the incident is told once, and once that it is over"

    def _counts(self, view: View, t: float) -> tuple[Counter[str], Counter[str]]:
        since = self._since(view, t)
        fired = Counter(n.route for n in since if n.status == "firing")
        return fired, Counter(n.route for n in since if n.status == "resolved")

    def _since(self, view: View, t: float) -> list[Notified]:
        """What was told of the incident. A group goes on naming what was over before (for 15 minutes): not that."""
        begun = [start for start, _ in incidents_of(view.history, view.zero, t)]
        since = told(view, begun[0], t) if begun else []
        return [n for n in since if n.status == "firing" or not 0 < unix(n.starts_at) < begun[0]]

    def at(self, view: View, t: float) -> bool | None:
        """None before the incident."""
        if not incidents_of(view.history, view.zero, t):
            return None
        fired, resolved = self._counts(view, t)
        return bool(fired) and set(fired.values()) == {1} and fired == resolved

    def observed(self, view: View, t: float) -> str:
        """By channel, and the delays after the incident's beginning."""
        fired, resolved = self._counts(view, t)
        if not fired and not resolved:
            return "nobody was told"
        by_channel = [f"#{c} {fired[c]} fired, {resolved[c]} resolved" for c in sorted({*fired, *resolved})]
        start = incidents_of(view.history, view.zero, t)[0][0]
        ends = [f"{n.t - start:.1f} s" for n in self._since(view, t) if n.route == min({*fired, *resolved})]
        return f"{'; '.join(by_channel)} (after {' and '.join(ends[:2])})"


@dataclass(frozen=True)
class QuietDays:
    """On back-filled days the fix fires less than `limit` times a day and misses no incident; broken/ fires more."""

    limit: float

    @property
    def expected(self) -> str:
        """In words."""
        return f"fewer than {self.limit:g} alerts a day, no incident missed; more with broken/"

    def _found(self, view: View, t: float) -> tuple[Studied | None, Studied | None]:
        studies = {s.what: s for s in view.history.of(Studied, end=t)}
        return studies.get("broken"), studies.get("fixed")

    def at(self, view: View, t: float) -> bool | None:
        """None until both were studied."""
        broken, fixed = self._found(view, t)
        if broken is None or fixed is None:
            return None
        quiet = fixed.alerts / fixed.days < self.limit <= broken.alerts / broken.days
        return quiet and fixed.incidents > 0 and fixed.seen == fixed.incidents

    def observed(self, view: View, t: float) -> str:
        """Both, side by side."""
        return "; ".join(_study_text(s) for s in self._found(view, t) if s) or "not studied"


def _study_text(found: Studied) -> str:
    short = f", {found.short / found.alerts:.0%} of them under 5 min" if found.alerts else ""
    return f"{found.what}: {found.alerts} in {found.days} days{short}, {found.seen} of {found.incidents} incidents told"


def pairs(least: int) -> Check:
    """Alerts that fire and resolve really arrive in a channel."""
    return Check(f"{least} fire/resolve {'pair' if least == 1 else 'pairs'}", Pairs(least))


def fatigue(per_hour: float, over: Wait) -> Check:
    """A channel carries more than a person can read."""
    return Check("alert fatigue", Tiring(per_hour, over))


def quiet(settle: Wait) -> Check:
    """The same noise is told to nobody."""
    return Check("silent on noise", Quiet(settle), Mode.ALWAYS)


@dataclass(frozen=True)
class incident:  # noqa: N801 - reads as a word of the vocabulary
    """The incident that an act of the scenario causes."""

    def told_once(self) -> Check:
        """One message that it is there, one that it is over."""
        return Check("incident told once", ToldOnce())


def quiet_days(fewer_than: float) -> Check:
    """On days of back-filled history the fix fires seldom, and for each incident."""
    return Check("quiet days", QuietDays(fewer_than), Mode.ALWAYS)
