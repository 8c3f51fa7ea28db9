"""The figures that the advice rests on, each once. Where each comes from: docs/advise.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; the unit stands where it is used."""

    low: float
    high: float

    def __str__(self) -> str:
        low, high = _short(self.low), _short(self.high)
        return low if low == high else f"{low}-{high}"


def _short(value: float) -> str:
    return f"{value:g}" if value < 1 else f"{round(value):,}"


FEW_QUERIES = 500
"""Queries a day below which logs and the provider's console do."""
MANY_QUERIES = 5_000
"""Queries a day above which it is Prometheus almost always; about here its cost and a managed one's meet."""

LOGS_USD = Range(5, 20)
LOGS_SETUP_H = Range(0.5, 0.5)

SELF_RUN_USD = (
    (100, Range(50, 50)),
    (1_000, Range(100, 150)),
    (10_000, Range(200, 300)),
    (100_000, Range(500, 1_000)),
)
"""Queries a day, and USD a month for Prometheus that one runs oneself: machines, without people's hours."""
MANAGED_USD_PER_HOST = Range(15, 31)
MANAGED_USD_PER_QUERY_A_DAY = Range(0.02, 0.05)
"""USD a month; 2,000 to 5,000 at 100,000 queries a day."""

MORE_SERVICES = Range(3, 4)
SETUP_H = Range(8, 12)
UPKEEP_H = Range(2, 4)
"""Hours a month."""
PROMQL_WEEKS = Range(1, 2)
TUNING_WEEKS = Range(2, 4)
FIRST_WEEK_ALERTS = 50

TIGHT_BUDGET_USD = 10_000
"""A month; with less, no stack of one's own."""
MONITORING_SHARE = 0.02
"""Of the budget: what monitoring may cost at most."""

UNOPENED_DAYS = 7
STOP_DAYS = 30
"""Days in which nobody has opened a dashboard: a red flag, and the moment to stop."""

RECORDING_RULES_SERIES = 1_000_000
FULL_RESOLUTION_DAYS = 15
"""Of 7 to 15: the longest time for which every sample is worth its place."""
HOURLY_DAYS = 90
SERVER_RAM_BYTES = 64 * 2**30
SERVER_DISK_BYTES = 2 * 2**40
"""What this advice takes for one server; beyond it, more than one."""

FREE_DISK = 0.2
"""The part of the volume that stays free."""
FREE_RAM = 0.5
"""The part of the machine's memory that is left to queries, restarts and the page cache."""
WAL_S = 3 * 3600
"""How long samples stay in the write-ahead log before a block has them."""
