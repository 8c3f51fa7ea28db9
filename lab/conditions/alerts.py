"""Conditions on an alert: delivered, resolved, inactive. Judged by what reached the receiver."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.events import Notified
from lab.scenario import Check
from lab.view import View


def names_of(alert_name: str, view: View) -> tuple[str, ...]:
    """The alerts that stand for a scenario's: those of a user's own rules file where one was given."""
    return view.header.own_alerts if view.header.foreign_rules else (alert_name,)


def _said(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"one of {len(names)} alerts"


@dataclass(frozen=True)
class Delivered:
    """A firing notification of the alert arrived at the receiver in this phase."""

    name: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.name} at the receiver"

    def _first(self, view: View, t: float) -> Notified | None:
        names = names_of(self.name, view)
        arrived = [
            n
            for n in view.history.of(Notified, view.start, t)
            if n.alert in names and n.status == "firing" and not n.dry_run
        ]
        return min(arrived, key=lambda n: n.t) if arrived else None

    def at(self, view: View, t: float) -> bool | None:
        """True from the first arrival on."""
        return self._first(view, t) is not None

    def observed(self, view: View, t: float) -> str:
        """When it arrived, or how far the rule got."""
        first = self._first(view, t)
        if first is not None:
            return f"{first.alert} arrived after {first.t - view.zero:.1f} s"
        states = {view.history.value(signals.alert_state(n), t) for n in names_of(self.name, view)}
        if signals.FIRING in states:
            return "firing, not delivered"
        return "pending, not delivered" if signals.PENDING in states else "no notification"


@dataclass(frozen=True)
class Raised:
    """The alert fires at a server, whether or not anybody is told: a graver one may mute it."""

    name: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.name} fires"

    def at(self, view: View, t: float) -> bool | None:
        """None without rule states."""
        states = [view.history.value(signals.alert_state(n), t) for n in names_of(self.name, view)]
        known = [state for state in states if state is not None]
        return signals.FIRING in known if known else None

    def observed(self, view: View, t: float) -> str:
        """The worst state."""
        states = [view.history.value(signals.alert_state(n), t) for n in names_of(self.name, view)]
        worst = max((state for state in states if state is not None), default=None)
        return {signals.FIRING: "fires", signals.PENDING: "pending", None: "no data"}.get(worst, "inactive")


@dataclass(frozen=True)
class Naming:
    """A firing notification of the alert says a name in one of its labels or annotations."""

    name: str
    culprit: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.culprit} in the notification"

    def _where(self, view: View, t: float) -> list[str]:
        alerts = names_of(self.name, view)
        names = (self.culprit, view.header.names.get(self.culprit, self.culprit))
        return [
            f"{key}: {text}"
            for n in view.history.of(Notified, view.start, t) if n.alert in alerts and n.status == "firing"
            for key, text in {**n.annotations, **n.labels}.items() if any(name in text for name in names)
        ]  # fmt: skip

    def at(self, view: View, t: float) -> bool | None:
        """True from the first such notification on."""
        return bool(self._where(view, t))

    def observed(self, view: View, t: float) -> str:
        """What it says; the shortest place."""
        return min(self._where(view, t), key=len, default="not named")


@dataclass(frozen=True)
class Resolved:
    """Every alert of ours that fired was reported as resolved, and none fires or is pending now."""

    name: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.name} resolved at the receiver"

    def _open(self, view: View, t: float) -> list[str]:
        last: dict[str, str] = {}
        for notified in sorted(view.history.of(Notified, end=t), key=lambda n: n.t):
            if notified.alert in names_of(self.name, view):
                last[notified.alert] = notified.status
        return sorted(name for name, status in last.items() if status == "firing")

    def at(self, view: View, t: float) -> bool | None:
        """False while a notification is open or the rule is not inactive; None without rule states."""
        states = [view.history.value(signals.alert_state(n), t) for n in names_of(self.name, view)]
        if not states or any(state is None for state in states):
            return None
        return not self._open(view, t) and all(state == signals.INACTIVE for state in states)

    def observed(self, view: View, t: float) -> str:
        """When the resolve message arrived, or what is still open."""
        if still := self._open(view, t):
            return f"still firing: {', '.join(still)}"
        if self.at(view, t) is False:
            return "resolved, but the rule is active again"
        arrived = [
            n.t for n in view.history.of(Notified, end=t)
            if n.alert in names_of(self.name, view) and n.status == "resolved"
        ]  # fmt: skip
        if not arrived:
            return "no resolve message"
        after = max(arrived) - view.zero
        return f"resolved after {after:.1f} s" if after >= 0 else "resolved while the fix went live"


@dataclass(frozen=True)
class Inactive:
    """Every one of the named rules is neither pending nor firing."""

    names: tuple[str, ...]

    @property
    def expected(self) -> str:
        """In words."""
        return f"{_said(self.names)} inactive" if len(self.names) == 1 else "all detectors inactive"

    def at(self, view: View, t: float) -> bool | None:
        """None where a rule's state is unknown, or before it has data: silence without data is no silence.

        The first scrapes come seconds after the servers are ready, and their step is what a rule must survive.
        """
        fed = (signals.seen_up("prometheus"), signals.seen_up("rag"), signals.COUNTED)
        if any(not view.history.value(name, t) for name in fed):
            return None
        states = [view.history.value(signals.alert_state(name), t) for name in self.names]
        return None if None in states else all(state == signals.INACTIVE for state in states)

    def observed(self, view: View, t: float) -> str:
        """Which of them are not inactive."""
        words = {signals.PENDING: "pending", signals.FIRING: "firing"}
        busy = [
            f"{name} {words[state]}" for name in self.names
            if (state := view.history.value(signals.alert_state(name), t)) in words
        ]  # fmt: skip
        return ", ".join(busy) or "inactive"


@dataclass(frozen=True)
class NotFiring:
    """None of the watched alerts fires, but those allowed; pending is no noise."""

    allowed: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """In words."""
        return f"no alert but {', '.join(self.allowed)}" if self.allowed else "no alert fires"

    def _wrong(self, view: View, t: float) -> list[str]:
        watched = [n for n in view.header.watched_alerts if n not in self.allowed]
        firing = [n for n in watched if view.history.value(signals.alert_state(n), t) == signals.FIRING]
        told = [
            n.alert for n in view.history.of(Notified, view.start, t)
            if n.alert in watched and n.status == "firing" and not n.dry_run
        ]  # fmt: skip
        return sorted({*firing, *told})

    def at(self, view: View, t: float) -> bool | None:
        """False once a wrong alert fires or is delivered."""
        return not self._wrong(view, t)

    def observed(self, view: View, t: float) -> str:
        """The alerts that should be silent."""
        return ", ".join(self._wrong(view, t)) or "silent"


@dataclass(frozen=True)
class alert:  # noqa: N801 - reads as a word of the vocabulary
    """An alert by its name in the scenario's rules."""

    name: str

    def delivered(self) -> Check:
        """A notification that it fires is at the receiver."""
        return Check(f"{self.name} delivered", Delivered(self.name))

    def raised(self) -> Check:
        """It fires; a graver alert may keep it out of the channel."""
        return Check(f"{self.name} raised", Raised(self.name))

    def naming(self, culprit: str) -> Check:
        """Its notification names the culprit, in a label or an annotation."""
        return Check(f"{self.name} names {culprit}", Naming(self.name, culprit))

    def resolved(self) -> Check:
        """A notification that it is over is at the receiver, and the rule is inactive."""
        return Check(f"{self.name} resolved", Resolved(self.name))
