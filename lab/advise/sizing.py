"""Memory and disk of one Prometheus, from what a series and a sample cost."""

from __future__ import annotations

from dataclasses import dataclass

from lab.advise import figures
from lab.advise.case import Case
from lab.advise.footprint import Footprint

DAY_S = 86_400
HOUR_S = 3_600


@dataclass(frozen=True)
class Resources:
    """All in bytes but `samples_per_second`.

    `ram` is what the server itself holds, `machine_ram` that with room for queries and a restart; `disk` is blocks and
    WAL, `volume` that with a part left free; `tiered`: the blocks, were older samples thinned out to hours and days.
    """

    samples_per_second: float
    ram: float
    machine_ram: float
    disk_per_day: float
    disk: float
    volume: float
    tiered: float


def resources(case: Case, of: Footprint) -> Resources:
    """What the case needs. It grows with series, with retention, and with shorter scrape intervals, never falls."""
    rate = case.series / case.scrape_interval.seconds
    ram = of.idle_bytes + case.series * of.bytes_per_series
    kept_s = case.retention.seconds
    disk = rate * (kept_s * of.bytes_per_sample + figures.WAL_S * of.wal_bytes_per_sample)
    return Resources(
        samples_per_second=rate,
        ram=ram,
        machine_ram=ram / (1 - figures.FREE_RAM),
        disk_per_day=rate * DAY_S * of.bytes_per_sample,
        disk=disk,
        volume=disk / (1 - figures.FREE_DISK),
        tiered=_thinned_samples(case) * of.bytes_per_sample,
    )


def _thinned_samples(case: Case) -> float:
    """Samples kept: all for the first days, then one an hour, then one a day (never more than were scraped)."""
    days = case.retention.seconds / DAY_S
    full = min(days, figures.FULL_RESOLUTION_DAYS)
    hourly = min(days, figures.HOURLY_DAYS) - full
    daily = days - full - hourly
    interval = case.scrape_interval.seconds
    a_day = DAY_S / interval * full + DAY_S / max(interval, HOUR_S) * hourly + DAY_S / max(interval, DAY_S) * daily
    return case.series * a_day
