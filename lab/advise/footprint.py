"""What one series and one sample cost a Prometheus: measured here, or as published."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lab.errors import LabError, UsageError
from lab.install.cache import cache_dir

FILE_LIMIT = 16 * 1024
MIB = 2**20


@dataclass(frozen=True)
class Footprint:
    """Bytes: memory of the server alone and of a series in the head; disk of a sample in a block and in the WAL.

    `source`: in words, where the figures are from. Raises `LabError` for figures that cannot be.
    """

    idle_bytes: float
    bytes_per_series: float
    bytes_per_sample: float
    wal_bytes_per_sample: float
    source: str

    def __post_init__(self) -> None:
        for one in fields(self)[:4]:
            value = getattr(self, one.name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise LabError(f"{one.name}: {value!r}: must be a number above 0")


PUBLISHED = Footprint(
    idle_bytes=100 * MIB,
    bytes_per_series=3_000,
    bytes_per_sample=2,
    wal_bytes_per_sample=7,
    source="published figures (docs/advise.md); `lab advise --measure` measures them on this machine",
)


@dataclass(frozen=True)
class Readings:
    """What was read of one Prometheus, first without series, then with them. Memory, chunks and WAL in bytes."""

    idle_rss: int
    idle_series: int
    peak_rss: int
    series: int
    samples: int
    chunk_bytes: int
    wal_bytes: int


LEAST_SAMPLES = 100
"""Samples of a series, below which the beginnings of its chunks outweigh the samples."""


def from_readings(read: Readings, source: str) -> Footprint:
    """The difference between without and with, by the series that came. Raises `LabError` where it says nothing."""
    came = read.series - read.idle_series
    if came <= 0:
        raise LabError("the measurement says nothing: no series came")
    if read.peak_rss <= read.idle_rss:
        raise LabError("the measurement says nothing: the memory did not grow with the series")
    if read.samples < LEAST_SAMPLES * came:
        per_series = read.samples / came
        raise LabError(
            f"the measurement says nothing: {per_series:.0f} samples a series, fewer than {LEAST_SAMPLES};"
            " the machine is too busy, try again"
        )
    return Footprint(
        idle_bytes=read.idle_rss,
        bytes_per_series=(read.peak_rss - read.idle_rss) / came,
        bytes_per_sample=read.chunk_bytes / read.samples,
        wal_bytes_per_sample=read.wal_bytes / read.samples,
        source=source,
    )


def place() -> Path:
    """The file in the user's cache that keeps what was measured here."""
    return cache_dir() / "advise" / "footprint.json"


def keep(found: Footprint) -> Path:
    """Write it to its file. Raises `LabError` where that can't be done."""
    path = place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}; set LAB_CACHE_DIR to a folder for it") from error
    return path


def known() -> Footprint:
    """What was measured on this machine, else what is published. Raises `UsageError` for a file that is none."""
    path = place()
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(FILE_LIMIT))
        return Footprint(**found)
    except FileNotFoundError:
        return PUBLISHED
    except (OSError, ValueError, TypeError, LabError) as error:
        raise UsageError(
            f"{path}: not what `lab advise --measure` writes ({error}); measure again or remove it"
        ) from error
