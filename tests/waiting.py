"""Wait until something is so, with a deadline: the only way in which a test lets time pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_fixed

T = TypeVar("T")
EVERY_S = 0.02


def until(condition: Callable[[], T], deadline_s: float, what: str, every_s: float = EVERY_S) -> T:
    """What the condition gives once that is true; fails the test after the deadline. What it raises goes through."""

    def late(_: RetryCallState) -> T:
        pytest.fail(f"not within {deadline_s:g} s: {what}")

    asked = Retrying(
        retry=retry_if_result(lambda seen: not seen),
        stop=stop_after_delay(deadline_s),
        wait=wait_fixed(every_s),
        retry_error_callback=late,
    )
    return asked(condition)
