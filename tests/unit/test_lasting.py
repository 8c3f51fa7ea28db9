"""A story goes on where nobody reads it any more, or where it can't be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TextIO, cast

import pytest
from rich.console import Console

from lab.report.lasting import Lasting


def told(stream: TextIO) -> Console:
    return Console(file=cast("TextIO", Lasting(stream)), width=80)


def test_a_reader_that_has_gone_ends_nothing() -> None:
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb", buffering=0) as reader, os.fdopen(writes, "w") as stream:
        console = told(stream)
        console.print("steady")
        assert reader.read(7) == b"steady\n"
        reader.close()
        for _ in range(3):
            console.print("stopping")
        assert os.path.samestat(os.fstat(stream.fileno()), Path(os.devnull).stat()), (
            "nothing is left that could fail later"
        )


class Full:
    """A file on a disk that is full for its first two lines."""

    def __init__(self) -> None:
        self.text = ""
        self.left = 2

    def write(self, text: str) -> int:
        if self.left:
            self.left -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self.text += text
        return len(text)

    def flush(self) -> None:
        return None

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        pytest.fail("it is a file that may be written to again")


def test_a_full_disk_costs_only_the_lines_that_it_has_no_room_for() -> None:
    stream = Full()
    console = told(cast("TextIO", stream))
    for line in ("one", "two", "three"):
        console.print(line)
    assert stream.text == "three\n"
