"""Whether values read from a file are of the types that a dataclass declares: a file may be damaged, or anybody's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

LONGEST = 60
"""Characters of a value that are told."""


def require(cls: type, values: Mapping[str, object]) -> None:
    """Raises `ValueError` with the first field that is of another type than the dataclass `cls` says."""
    hints = _hints(cls)
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise ValueError(f"{name} is {repr(value)[:LONGEST]}")


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _fits(value: object, hint: Any) -> bool:
    """For the types that the lab writes into files: numbers, texts, literals, and tuples and mappings of them."""
    of, within = get_origin(hint), get_args(hint)
    if of is Literal:
        return value in within
    if of is UnionType:
        return any(_fits(value, one) for one in within)
    if of is tuple:
        return isinstance(value, tuple) and all(_fits(one, within[0]) for one in value)
    if of is not None:
        return isinstance(value, Mapping) and all(_fits(k, within[0]) and _fits(v, within[1]) for k, v in value.items())
    if hint is float:
        return isinstance(value, float) or (_fits(value, int) and _is_small(value))
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _is_small(value: object) -> bool:
    """Whether an integer can be counted with as a float."""
    try:
        return math.isfinite(float(str(value)))
    except ValueError:
        return False
