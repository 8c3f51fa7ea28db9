"""The case to be advised on: what somebody says about a service, a team and its money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.errors import UsageError
from lab.timescale.durations import Duration

MOST = 10**9
DAY_MS = 86_400_000
EACH_15_S = Duration(15_000)
FIFTEEN_DAYS = Duration(15 * DAY_MS)
LONGEST = Duration(3650 * DAY_MS)


class Stage(StrEnum):
    """How far the product is."""

    MVP = "mvp"
    PRODUCTION = "production"


class RedFlag(StrEnum):
    """A sign that the stack serves nobody any more."""

    FEATURES = "features"
    PROMQL = "promql"
    STORAGE = "storage"

    @property
    def says(self) -> str:
        """The sign, in words."""
        return {
            "features": "more time goes into Prometheus than into features",
            "promql": "nobody on the team reads PromQL",
            "storage": "storage grows faster than queries",
        }[self.value]


@dataclass(frozen=True)
class Case:
    """`budget_usd`: all that the team may spend a month; None: not told.

    `days_unopened`: since anybody opened a dashboard.

    Raises `UsageError` for what cannot be.
    """

    queries_per_day: int
    operator: bool = False
    budget_usd: float | None = None
    stage: Stage = Stage.PRODUCTION
    cloud_suffices: bool = False
    hosts: int = 1
    series: int = 10_000
    scrape_interval: Duration = EACH_15_S
    retention: Duration = FIFTEEN_DAYS
    days_unopened: int = 0
    red_flags: tuple[RedFlag, ...] = ()

    def __post_init__(self) -> None:
        _within("--queries-per-day", self.queries_per_day, 0)
        _within("--hosts", self.hosts, 1)
        _within("--series", self.series, 1)
        _within("--days-unopened", self.days_unopened, 0)
        if self.budget_usd is not None:
            _within("--budget", self.budget_usd, 0)
        if not Duration(1000) <= self.scrape_interval <= Duration(DAY_MS):
            raise UsageError(f"--scrape-interval: {self.scrape_interval}: must lie between 1s and 1d")
        if not self.scrape_interval <= self.retention <= LONGEST:
            raise UsageError(f"--retention: {self.retention}: must lie between the scrape interval and 10y")


def _within(option: str, value: float, least: int) -> None:
    if not least <= value:  # NaN is not, either
        raise UsageError(f"{option}: {value:g}: must be {least} or more")
    if value > MOST:
        raise UsageError(f"{option}: {value:g}: must be {MOST:,} or less")
