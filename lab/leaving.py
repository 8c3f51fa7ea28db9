"""In a series the services of a run that is over are stopped while the next run starts its own.

Measured is never beside them: the next run waits for their end before its traffic begins.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from lab.errors import LabError
from lab.interrupts import put_off


class Leaving:
    """What is still being stopped. Its block ends when all of it is gone, which takes seconds; no signal cuts it short.

    `errors`, once the block has ended: why something could not be stopped.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "leaving")
        self._stops: list[Future[None]] = []
        self.errors: tuple[str, ...] = ()

    def begin(self, stop: Callable[[], None]) -> None:
        """Stop the services of a run, from now on."""
        with put_off():  # a pool that is cut short does not know its thread, and would not wait for it
            self._stops.append(self._pool.submit(stop))

    def settled(self) -> None:
        """Wait until nothing is left of the runs before. Raises `LabError` where something stays."""
        for stopped in self._stops:
            if error := stopped.exception():
                raise LabError(f"what the run before had started could not be stopped: {error}") from error

    def __enter__(self) -> Leaving:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with put_off():
                self._pool.shutdown()
        finally:
            self._pool.shutdown()  # of a signal that came just before it was put off
            self.errors = tuple(str(error) for stopped in self._stops if (error := stopped.exception()))
