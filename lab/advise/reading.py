"""What a person writes for a number or a time, read; each mistake is one line that names the option."""

from __future__ import annotations

import re
from decimal import Decimal

from lab.errors import UsageError
from lab.text import one_line
from lab.timescale.durations import Duration
from lab.timescale.errors import InputError

_NUMBER = re.compile(r"(-?)(\d{1,15}|\d{1,3}(?:[,_]\d{3}){1,4})(\.\d{1,6})?([kKmM]?)", re.ASCII)
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}


def number(option: str, text: str) -> float:
    """Such as 500, 10k, 1.5M or 12,000; below 0, too, which a `Case` refuses. Raises `UsageError`."""
    return float(_exact(option, text))


def count(option: str, text: str) -> int:
    """The same, and whole. Raises `UsageError`."""
    found = _exact(option, text)
    if found != int(found):
        raise UsageError(f"{option}: {_shown(text)}: a whole number is wanted")
    return int(found)


def duration(option: str, text: str) -> Duration:
    """Such as 15s, 30d or 1h30m. Raises `UsageError`."""
    try:
        return Duration.parse(text.strip())
    except InputError as error:
        raise UsageError(f"{option}: {_shown(text)}: not a time; write it like 15s, 12h or 30d") from error


def _exact(option: str, text: str) -> Decimal:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{option}: {_shown(text)}: not a number; write it like 500, 12,000, 10k or 1.5M")
    sign, whole, fraction, unit = match.groups()
    return Decimal(sign + whole.replace(",", "").replace("_", "") + (fraction or "")) * _TIMES[unit.lower()]


def _shown(text: str) -> str:
    return repr(one_line(text[:40]))
