"""Conditions on the traffic: served well, flowing at its rate, and the guards against a vacuous pass."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.history import History
from lab.scenario import Check, Mode, Phase
from lab.view import View


def made(history: History, start: float, end: float) -> tuple[float, float] | None:
    """Requests a second that were answered, and that came to nothing; None without figures."""
    served, failed = history.mean(signals.RPS, start, end), history.mean(signals.FAILURES, start, end)
    return None if served is None or failed is None else (served, failed)


@dataclass(frozen=True)
class ServedWell:
    """The service's objective: at most 1 % of requests fail, and there are requests."""

    objective: float = 0.01
    window_s: float = 4.0

    @property
    def expected(self) -> str:
        """In words."""
        return f"requests flow, under {self.objective:.0%} fail"

    def _rates(self, view: View, t: float) -> tuple[float, float] | None:
        return made(view.history, max(t - self.window_s, view.start), t)

    def at(self, view: View, t: float) -> bool | None:
        """None without figures from the load generator."""
        rates = self._rates(view, t)
        if rates is None:
            return None
        served, failed = rates
        return served > 0 and failed <= self.objective * (served + failed)

    def observed(self, view: View, t: float) -> str:
        """Both rates."""
        rates = self._rates(view, t)
        return "no figures" if rates is None else f"{rates[0]:,.0f}/s served, {rates[1]:,.1f}/s failed"


TICK_S = 1.0
"""The lab looks once a second."""
MOVED = 0.1
"""A change of the users by a larger share: their requests lag behind it for a second."""


def per_user(history: History, start: float, end: float, name: str = signals.RPS) -> float | None:
    """Requests (of one kind, by their sample) per second of one user; None without any.

    Over the seconds in which users neither came nor went.
    """
    users = history.series(signals.USERS, start - 1.5 * TICK_S, end)
    before = dict(zip((t for t, _ in users[1:]), (n for _, n in users), strict=False))
    calm = {t: n for t, n in users if t >= start and abs(n - before.get(t, n)) <= MOVED * n}
    served = sum(rate for t, rate in history.series(name, start, end) if t in calm)
    return served / sum(calm.values()) if any(calm.values()) else None


@dataclass(frozen=True)
class Flowed:
    """Over the settled part of the phase, the rate of answered requests is within `tolerance` of steady's.

    In `broken/` up to the onset: from then on the fault is proven to be live, and that it slows the service is its
    doing; a missed detection can't be laid on too little traffic any more.
    """

    tolerance: float = 0.20
    least_s: float = 3.0
    per_user: bool = False
    """The number of users changes by plan: rates are those of one user."""

    @property
    def expected(self) -> str:
        """In words."""
        return f"requests flow, within {self.tolerance:.0%} of steady"

    def _rates(self, view: View, t: float) -> tuple[float | None, float | None]:
        end = t
        if view.phase is Phase.BROKEN and view.onset_after_s is not None:
            end = min(t, view.zero + max(view.onset_after_s, 2 * self.least_s))
        start = max(view.start, min(view.settled, end - self.least_s))
        if not self.per_user:
            return view.history.mean(signals.RPS, start, end), view.steady_mean(signals.RPS)
        return per_user(view.history, start, end), per_user(view.history, *view.steady_window())

    def at(self, view: View, t: float) -> bool | None:
        """Judged when the phase is over."""
        if not view.closed or t < view.now:
            return None
        seen, steady = self._rates(view, t)
        if not seen or not steady:
            return False
        return abs(seen - steady) <= self.tolerance * steady

    def observed(self, view: View, t: float) -> str:
        """Both rates."""
        seen, steady = self._rates(view, t)
        each = " a user" if self.per_user else ""
        return "no requests" if not seen else f"{seen:,.0f}/s{each}, steady {steady or 0:,.0f}/s"


@dataclass(frozen=True)
class Made:
    """Where the fault is that queries are refused: over the settled phase no fewer are made than in steady.

    More may be: clients ask again.
    """

    tolerance: float = 0.20
    per_user: bool = False
    """The number of users changes by plan: rates are those of one user."""

    @property
    def expected(self) -> str:
        """In words."""
        return f"requests are made, answered or not, at least {1 - self.tolerance:.0%} of steady's"

    def _rates(self, view: View, t: float) -> tuple[float, float] | None:
        start = max(view.start, min(view.settled, t - 3 * TICK_S))
        rates = made(view.history, start, t)
        if not self.per_user:
            seen, steady = None if rates is None else sum(rates), view.steady_mean(signals.RPS)
        else:
            each = [per_user(view.history, start, t, name) for name in (signals.RPS, signals.FAILURES)]
            seen = sum(rate for rate in each if rate is not None) if any(rate is not None for rate in each) else None
            steady = per_user(view.history, *view.steady_window())
        return None if seen is None or not steady else (seen, steady)

    def at(self, view: View, t: float) -> bool | None:
        """Judged when the phase is over."""
        if not view.closed or t < view.now:
            return None
        rates = self._rates(view, t)
        return rates is not None and rates[0] >= (1 - self.tolerance) * rates[1]

    def observed(self, view: View, t: float) -> str:
        """Both rates."""
        rates = self._rates(view, t)
        each = " a user" if self.per_user else ""
        return "no requests" if rates is None else f"{rates[0]:,.3g}/s made{each}, steady {rates[1]:,.3g}/s"


@dataclass(frozen=True)
class Offered:
    """In the steady phase, the rate of answered requests is within `tolerance` of what the scenario asks for."""

    expected_rps: float
    tolerance: float = 0.20
    users: int = 0
    """Where the number of users changes by plan: how many `expected_rps` is for; each must make its share."""

    @property
    def expected(self) -> str:
        """In words."""
        return f"requests flow, within {self.tolerance:.0%} of {self.expected_rps:,.0f}/s"

    def _rate(self, view: View, t: float) -> float | None:
        start = min(view.settled, t)
        if not self.users:
            return view.history.mean(signals.RPS, start, t)
        each = per_user(view.history, start, t)
        return None if each is None else each * self.users

    def at(self, view: View, t: float) -> bool | None:
        """Judged when the phase is over."""
        if not view.closed or t < view.now:
            return None
        rate = self._rate(view, t)
        return bool(rate) and abs((rate or 0) - self.expected_rps) <= self.tolerance * self.expected_rps

    def observed(self, view: View, t: float) -> str:
        """The rate."""
        rate = self._rate(view, t)
        return f"{rate:,.0f}/s" if rate else "no requests"


@dataclass(frozen=True)
class Brisk:
    """Answers take no longer than the service means them to: their p95 is over the limit in few seconds only."""

    limit_s: float
    share: float = 0.2

    @property
    def expected(self) -> str:
        """In words."""
        return f"answers are as slow as they are meant to be: p95 under {self.limit_s:g} s, but for a moment"

    def _share(self, view: View, t: float) -> float | None:
        seen = view.history.series(signals.P95_S, min(view.settled, t), t)
        return sum(value > self.limit_s for _, value in seen) / len(seen) if seen else None

    def at(self, view: View, t: float) -> bool | None:
        """Judged when the phase is over."""
        share = self._share(view, t) if view.closed and t >= view.now else None
        return None if share is None else share <= self.share

    def observed(self, view: View, t: float) -> str:
        """The share of seconds over the limit."""
        share = self._share(view, t)
        return "no figures" if share is None else f"over it in {share:.0%} of the seconds: the machine was busy"


def answers(*, under_s: float) -> Check:
    """The machine adds nothing to how long an answer is meant to take; a precondition, not a promise."""
    return Check("answers as slow as meant", Brisk(under_s), Mode.ALWAYS)
