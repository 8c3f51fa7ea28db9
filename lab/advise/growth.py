"""What to do past one server."""

from __future__ import annotations

from collections.abc import Iterator

from lab.advise import figures
from lab.advise.case import DAY_MS, Case
from lab.advise.sizes import size
from lab.advise.sizing import Resources
from lab.timescale.durations import Duration

STORES = "Thanos, Cortex or Mimir, or VictoriaMetrics"


def steps(case: Case, need: Resources) -> Iterator[str]:
    """What this case has to do beyond one Prometheus, and last what every case has."""
    if case.series > figures.RECORDING_RULES_SERIES:
        yield (
            f"{case.series:,} series are above {figures.RECORDING_RULES_SERIES:,}:"
            " recording rules for whatever is asked again and again"
        )
    if beyond := tuple(_beyond_one(need)):
        yield f"{' and '.join(beyond)} are more than one server: federation, or remote write to {STORES}"
    if keeps_long(case):
        yield (
            f"full resolution for 7 to {figures.FULL_RESOLUTION_DAYS} days; then remote write to {STORES}: hourly until"
            f" {figures.HOURLY_DAYS} days, daily beyond, by recording rules where the store does not thin out;"
            f" {size(need.tiered)} in all"
        )
    yield "two replicas that scrape the same: one Prometheus is a single point of failure"


def wants_store(case: Case, need: Resources) -> bool:
    """Whether a store behind remote write belongs to it."""
    return keeps_long(case) or any(_beyond_one(need))


def keeps_long(case: Case) -> bool:
    """Whether it keeps samples for longer than each of them is worth its place."""
    return case.retention > Duration(figures.FULL_RESOLUTION_DAYS * DAY_MS)


def _beyond_one(need: Resources) -> Iterator[str]:
    if need.machine_ram > figures.SERVER_RAM_BYTES:
        yield f"{size(need.machine_ram)} of memory"
    if need.volume > figures.SERVER_DISK_BYTES:
        yield f"{size(need.volume)} of disk"
