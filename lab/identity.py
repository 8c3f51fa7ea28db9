"""Who a process is: its pid AND its start time, so that a recycled pid is never mistaken for ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Identity:
    """A process, by pid and by start (clock ticks since boot on Linux, else epoch seconds)."""

    pid: int
    start: str

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return identity(self.pid) == self


def identity(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _portable(pid)
    state, start_ticks = fields[0], fields[19]  # proc(5): fields 3 and 22, counted after the name
    return None if state in "ZX" else Identity(pid, f"{_boot_id()}:{start_ticks}")


def _portable(pid: int) -> Identity | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, f"{process.create_time():.2f}")
    except psutil.Error:
        return None


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return ""


def me() -> Identity:
    """This process."""
    found = identity(os.getpid())
    assert found is not None
    return found
