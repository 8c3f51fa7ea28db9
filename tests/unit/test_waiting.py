"""The one way in which tests wait: it ends as soon as it may, fails in words when it must, and hides nothing."""

from __future__ import annotations

import pytest
from waiting import until


def test_it_gives_what_it_waited_for() -> None:
    seen = iter(["", "", "here"])
    assert until(lambda: next(seen), 5, "it is here") == "here"


def test_after_the_deadline_it_fails_and_says_what_was_awaited() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"not within 0\.1 s: it is here"):
        until(lambda: False, 0.1, "it is here")


def test_an_error_is_not_waited_out() -> None:
    asked: list[int] = []

    def breaks() -> bool:
        asked.append(1)
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        until(breaks, 5, "it is here")
    assert len(asked) == 1
