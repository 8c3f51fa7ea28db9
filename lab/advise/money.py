"""What each way of watching a service costs a month, by its queries a day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lab.advise import figures
from lab.advise.case import Case
from lab.advise.figures import Range


class Option(StrEnum):
    """The ways that are compared."""

    LOGS = "logs"
    PROMETHEUS = "prometheus"
    MANAGED = "managed"

    @property
    def words(self) -> str:
        """As a person would call it."""
        return {
            "logs": "logs and the provider's console",
            "prometheus": "Prometheus, run by yourselves",
            "managed": "a managed APM",
        }[self.value]


@dataclass(frozen=True)
class Price:
    """Of one option: USD a month without people's hours; hours to set up and hours a month, where they are known."""

    option: Option
    usd: Range
    setup_h: Range | None = None
    upkeep_h: Range | None = None
    extrapolated: bool = False
    """Whether it lies beyond the last figure that is known."""

    def fits(self, budget_usd: float | None) -> bool:
        """Whether even its upper end is no more of the budget than monitoring may be."""
        return budget_usd is None or self.usd.high <= figures.MONITORING_SHARE * budget_usd


def prices(case: Case) -> dict[Option, Price]:
    """All options, the cheapest to begin with first."""
    queries = case.queries_per_day
    beyond = queries > figures.SELF_RUN_USD[-1][0]
    return {
        Option.LOGS: Price(Option.LOGS, figures.LOGS_USD, figures.LOGS_SETUP_H),
        Option.PROMETHEUS: Price(
            Option.PROMETHEUS, self_run(queries), figures.SETUP_H, figures.UPKEEP_H, extrapolated=beyond
        ),
        Option.MANAGED: Price(Option.MANAGED, managed(queries, case.hosts), extrapolated=beyond),
    }


def self_run(queries: int) -> Range:
    """USD a month for Prometheus: straight between the known points where both axes are logarithmic."""
    points = figures.SELF_RUN_USD
    if queries <= points[0][0]:
        return points[0][1]
    at = next((i for i, (end, _) in enumerate(points) if queries <= end), len(points) - 1)
    (start, low), (end, high) = points[at - 1], points[at]
    share = math.log(queries / start) / math.log(end / start)
    return Range(_between(low.low, high.low, share), _between(low.high, high.high, share))


def _between(first: float, last: float, share: float) -> float:
    found: float = first * (last / first) ** share
    return min(found, last) if share <= 1 else found  # rounding must not carry it past the point that is known


def managed(queries: int, hosts: int) -> Range:
    """USD a month for a managed APM: by the host at least, and by what it takes in."""
    host, query = figures.MANAGED_USD_PER_HOST, figures.MANAGED_USD_PER_QUERY_A_DAY
    return Range(max(host.low * hosts, query.low * queries), max(host.high * hosts, query.high * queries))
