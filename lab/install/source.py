"""What the ways of getting a server have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lab.errors import LabError

Say = Callable[[str], None]
"""Takes one line of progress for a human."""


class SourceError(LabError):
    """This way of getting a server does not work here; the message says why in a clause."""


class Source(Protocol):
    """One way of getting the programs of one server."""

    def describe(self) -> str:
        """Say in a clause where the programs come from."""

    def fetch(self, into: Path, say: Say) -> None:
        """Put the programs into the empty folder `into`, under the lab's own names, executable.

        Raises SourceError. Scratch files go beside `into`, never into it.
        """
