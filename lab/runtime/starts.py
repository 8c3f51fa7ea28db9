"""Starts that are under way: one that a signal meets is finished first, and none begins once the run is over.

Services are started side by side. A signal that ends the run is answered in the main thread and not in those, so
without this one of them could start a process after everything was stopped, and nobody would know of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from lab.errors import StartError
from lab.interrupts import put_off


@dataclass
class Starts:
    """Of one runtime. Thread-safe."""

    _under_way: int = 0
    _over: bool = False
    _changed: Condition = field(default_factory=Condition)

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        """What is made in the block is known to those who stop it when the block ends. Raises `StartError`."""
        with put_off():
            self._begin(what)
            try:
                yield
            finally:
                self._end()

    def _begin(self, what: str) -> None:
        with self._changed:
            if self._over:
                raise StartError(f"{what} is not started: the run is over")
            self._under_way += 1

    def _end(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let no other begin, and wait for those under way; each of them has a limit of its own."""
        with self._changed:
            self._over = True
            self._changed.wait_for(lambda: not self._under_way)
