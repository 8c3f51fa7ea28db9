"""Signals that end a run: answered once, put off while something is made that only then can be undone, or ignored.

Signals are answered in the main thread: in another there is nothing to put off.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from lab.errors import OverTime

POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite kill, and a terminal that is closed."""
ENDING = (*POLITE, signal.SIGALRM)
"""These, and the end of the time that a run was given."""


_Handler = Callable[[int, FrameType | None], Any] | int | None


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def interrupting() -> Iterator[None]:
    """Let a kill and a closed terminal end the block as Ctrl-C does. What is ignored (by nohup) stays so."""
    if not _in_main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in POLITE if _is_default(number)}
    try:
        yield
    finally:
        _restore(before)


def _is_default(number: signal.Signals) -> bool:
    return signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def answered_once(limit_s: float = 0.0) -> Iterator[None]:
    """Let the first signal end the block, and pass over all others: what then is undone takes seconds.

    With a limit (seconds) also the end of the time, which raises `OverTime`. One that was ignored before stays so.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, _pass_over)  # and not SIG_IGN, which children would inherit
        if number == signal.SIGALRM:
            raise OverTime(f"not over when --max-wall ended it, after {limit_s:.0f} s")
        raise KeyboardInterrupt

    heard = [number for number in POLITE if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.getsignal(number) for number in (*heard, *([signal.SIGALRM] if limit_s else []))}
    for number in before:
        signal.signal(number, end)
    if limit_s:
        signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        if limit_s:
            signal.setitimer(signal.ITIMER_REAL, 0)
        _restore(before)


def _pass_over(_number: int, _frame: FrameType | None) -> None:
    """The block ends already."""


@contextmanager
def put_off() -> Iterator[None]:
    """Answer a signal at the end of the block and not inside it, whatever becomes of it.

    One that was ignored before stays so. Who interrupts is heard before a time that is over.
    """
    if not _in_main_thread():
        yield
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, remember) for number in ENDING if callable(signal.getsignal(number))}
    try:
        yield
    finally:
        _restore(before)
        if came:
            signal.raise_signal(min(came, key=ENDING.index))


@contextmanager
def ignored() -> Iterator[list[int]]:
    """Let nothing cut the block, which is the main thread's, short; yields what came and is not `SIGALRM`.

    A time limit is over for good: what comes after the block is not timed.
    """
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            came.append(number)

    signal.setitimer(signal.ITIMER_REAL, 0)
    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield came
    finally:
        _restore(before)


def _restore(before: Mapping[signal.Signals, _Handler]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
