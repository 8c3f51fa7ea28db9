"""Bytes for a person to read."""

from __future__ import annotations


def size(bytes_: float) -> str:
    """Such as 130 MiB or 1.5 GiB: two figures that count, in powers of 1,024."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if bytes_ < 1_000 or unit == "TiB":  # 1,000 KiB read worse than 0.98 MiB
            return f"{bytes_:.1f} {unit}" if bytes_ < 10 and unit != "B" else f"{bytes_:,.0f} {unit}"
        bytes_ /= 1024
    raise AssertionError
