"""Signals that end a run, put off while something is made that only then can be undone, or ignored while it is undone.

Signals are answered in the main thread: in another there is nothing to put off.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
"""Ctrl-C, a polite kill, and the end of the time that a run was given."""


@contextmanager
def put_off() -> Iterator[None]:
    """Answer a signal at the end of the block and not inside it. One that was ignored before stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[signal.Signals] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(signal.Signals(number))

    before = {number: signal.signal(number, remember) for number in ENDING if callable(signal.getsignal(number))}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def ignored() -> Iterator[None]:
    """Let nothing cut the block, which is the main thread's, short.

    A time limit is over for good: what comes after the block is not timed.
    """
    signal.setitimer(signal.ITIMER_REAL, 0)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
