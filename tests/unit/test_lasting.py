"""A story goes on where nobody reads it any more, or where it can't be written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
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


LINT = [sys.executable, "-m", "lab", "lint", "metrics"]


def test_a_reader_that_ends_does_not_make_it_the_exit_code_of_a_finding(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("x 1\n")
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as stream:
        done = subprocess.run([*LINT, str(page)], stdout=stream, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_output_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    page.write_text("x 1\n")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*LINT, str(page)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "lab: standard output: No space left on device\n")
