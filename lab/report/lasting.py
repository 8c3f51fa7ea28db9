"""A stream that is written to whether or not somebody still reads it: a story that can't be told ends no run."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Any, TextIO

from lab.errors import LabError

GONE = (errno.EPIPE, errno.EIO)
"""The pipe's reader has ended; the terminal was closed."""


class Lasting:
    """A text stream from which errors of writing do not come back; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._lost(error)
            return len(text)

    def flush(self) -> None:
        """Hand over what can be handed over."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lost(error)

    def _lost(self, error: OSError) -> None:
        """Where nobody reads any more, nobody is written to: what is left in a buffer would fail again at the end."""
        if error.errno not in GONE:
            return
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


class Output(Lasting):
    """Standard output: that nobody reads it any more is no result, and that it can't be written is said."""

    def _lost(self, error: OSError) -> None:
        if error.errno not in GONE:
            raise LabError(f"standard output: {error.strerror or error}") from error
        super()._lost(error)
