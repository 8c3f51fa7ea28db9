"""Conditions on the traffic: served well, flowing at its rate, and the guards against a vacuous pass."""

from __future__ import annotations

from dataclasses import dataclass

from lab import signals
from lab.scenario import Phase
from lab.view import View


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
        start = max(t - self.window_s, view.start)
        served = view.history.mean(signals.RPS, start, t)
        failed = view.history.mean(signals.FAILURES, start, t)
        return None if served is None or failed is None else (served, failed)

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


def _each(rate: float | None, users: float | None) -> float | None:
    return rate / users if rate is not None and users else None


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
        seen, steady = view.history.mean(signals.RPS, start, end), view.steady_mean(signals.RPS)
        if not self.per_user:
            return seen, steady
        return _each(seen, view.history.mean(signals.USERS, start, end)), _each(steady, view.steady_mean(signals.USERS))

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
        rate = view.history.mean(signals.RPS, start, t)
        each = _each(rate, view.history.mean(signals.USERS, start, t))
        return rate if not self.users or each is None else each * self.users

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
