"""The money spent: booked by hour and day, reported with projections."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from lab.rag.pricing import NANO

HOURS_KEPT = timedelta(days=7)
DAYS_KEPT = timedelta(days=30)

Amounts = dict[str, int]  # nano-dollars by model


@dataclass(frozen=True, slots=True)
class Batch:
    """Money spent within one hour; `id` lets a store recognise a batch that it already has."""

    id: str
    hour: datetime
    amounts: Mapping[str, int]


class CostStore(Protocol):
    """Where costs are kept. Every operation may raise CostsUnavailableError."""

    kind: str

    async def add(self, batch: Batch) -> None:
        """Book a batch, once, however often it is handed over."""

    async def hours(self, hours: list[datetime]) -> list[Amounts]:
        """What was booked in each of these hours."""

    async def days(self, days: list[datetime]) -> list[Amounts]:
        """What was booked on each of these days."""

    async def close(self) -> None:
        """Let go of connections."""


class MemoryCosts:
    """In the process: gone when it ends."""

    kind = "memory"

    def __init__(self) -> None:
        self._hours: defaultdict[datetime, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._days: defaultdict[datetime, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    async def add(self, batch: Batch) -> None:
        """Book a batch and forget what is older than its retention."""
        for model, nano in batch.amounts.items():
            self._hours[batch.hour][model] += nano
            self._days[day_of(batch.hour)][model] += nano
        for hour in [hour for hour in self._hours if hour <= batch.hour - HOURS_KEPT]:
            del self._hours[hour]
        for day in [day for day in self._days if day <= batch.hour - DAYS_KEPT]:
            del self._days[day]

    async def hours(self, hours: list[datetime]) -> list[Amounts]:
        """What was booked in each of these hours."""
        return [dict(self._hours.get(hour, {})) for hour in hours]

    async def days(self, days: list[datetime]) -> list[Amounts]:
        """What was booked on each of these days."""
        return [dict(self._days.get(day, {})) for day in days]

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was spent, in nano-dollars. A projection is None while no day has data."""

    last_hour: int
    last_24h: int
    last_7d: int
    by_model: Amounts  # over the last 7 days
    days_with_data: int  # of the last 7
    projected_day: int | None
    store: str


async def report(store: CostStore, now: datetime) -> Report:
    """Report as of `now` (aware).

    The bucket in which a period begins counts in proportion to its part inside the period. A projected day is
    the average over those of the last seven days that have data, today included.
    """
    this_hour = hour_of(now)
    buckets = await store.hours([this_hour - timedelta(hours=back) for back in range(7 * 24 + 1)])
    days = await store.days([day_of(now) - timedelta(days=back) for back in range(7)])
    left_s = 3600 - int((now - this_hour).total_seconds())  # the part of a period's first bucket inside it
    totals = [sum(bucket.values()) for bucket in buckets]
    by_model: defaultdict[str, int] = defaultdict(int)
    for back, bucket in enumerate(buckets):
        for model, nano in bucket.items():
            by_model[model] += nano * left_s // 3600 if back == 7 * 24 else nano
    with_data = [sum(day.values()) for day in days if day]
    return Report(
        last_hour=totals[0] + totals[1] * left_s // 3600,
        last_24h=sum(totals[:24]) + totals[24] * left_s // 3600,
        last_7d=sum(by_model.values()),
        by_model={model: nano for model, nano in sorted(by_model.items()) if nano},
        days_with_data=len(with_data),
        projected_day=sum(with_data) // len(with_data) if with_data else None,
        store=store.kind,
    )


def hour_of(moment: datetime) -> datetime:
    """The hour in UTC that a moment belongs to."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """The day in UTC that a moment belongs to."""
    return hour_of(moment).replace(hour=0)


def usd(nano: int) -> str:
    """Nano-dollars as an exact decimal string of dollars."""
    return f"{nano // NANO}.{nano % NANO:09d}"
