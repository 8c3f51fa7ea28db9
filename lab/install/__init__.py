"""Find the servers the lab starts, or get them: what `lab install` and `lab doctor` know."""

from lab.install.binaries import find
from lab.install.errors import (
    BinaryError,
    BinaryMissingError,
    BinaryTooOldError,
    BinaryUnusableError,
    InstallError,
)
from lab.install.plan import Step, install, plan
from lab.install.probe import Binary, flags

__all__ = [
    "Binary",
    "BinaryError",
    "BinaryMissingError",
    "BinaryTooOldError",
    "BinaryUnusableError",
    "InstallError",
    "Step",
    "find",
    "flags",
    "install",
    "plan",
]
