"""What can be wrong with a server binary, and with getting one.

    LabError                      exit code 3
    ├── InstallError                   nothing that was tried gave a usable server
    └── UsageError                     exit code 2
        └── BinaryError                one binary, by name, path and where it was found
            ├── BinaryMissingError     no flag, no variable, nothing on PATH, nothing cached
            ├── BinaryUnusableError    it does not run, hangs, or is another program
            └── BinaryTooOldError      it runs, and is older than the lab supports

Each message is one line naming the path and the remedy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from lab.errors import LabError, UsageError

Source = Literal["flag", "env", "path", "cache", "image"]


class BinaryError(UsageError):
    """A server binary cannot be used. `problem` says what is wrong, `remedy` what to do; the message is both.

    `path` and `source` (how it was found) are None when there is none at all.
    """

    def __init__(
        self, problem: str, remedy: str, name: str, path: Path | None = None, source: Source | None = None
    ) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.name = name
        self.path = path
        self.source = source


class BinaryMissingError(BinaryError):
    """Looked everywhere, found nothing."""


class BinaryUnusableError(BinaryError):
    """There is a file, but it is not the program it should be."""


class BinaryTooOldError(BinaryError):
    """The right program in a version the lab does not support."""


class InstallError(LabError):
    """Every way of getting a server failed; the message lists them all."""
