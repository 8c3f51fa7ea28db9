"""The machine that figures come from: seconds of one machine say little about another."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

MEMORY_TOLERANCE = 0.05
"""Two equal machines differ by what their firmware and kernel keep."""


@dataclass(frozen=True)
class Machine:
    """What makes figures comparable. `cores`: those that this process may use."""

    cpu: str
    cores: int
    memory_mib: int
    architecture: str

    def differences(self, other: Machine) -> tuple[str, ...]:
        """What differs between this machine, the earlier one, and the other, in words."""
        pairs = [
            ("CPU", self.cpu, other.cpu),
            ("cores", str(self.cores), str(other.cores)),
            ("architecture", self.architecture, other.architecture),
        ]
        if abs(self.memory_mib - other.memory_mib) > MEMORY_TOLERANCE * max(self.memory_mib, other.memory_mib):
            pairs.append(("memory", f"{self.memory_mib} MiB", f"{other.memory_mib} MiB"))
        return tuple(f"{what}: {before}, now {now}" for what, before, now in pairs if before != now)


def usable_cores() -> int:
    """The cores that this process may use; where the system does not say, those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_machine() -> Machine:
    """The machine we are on."""
    import psutil

    return Machine(
        cpu=_cpu(),
        cores=usable_cores(),
        memory_mib=round(psutil.virtual_memory().total / 2**20),
        architecture=platform.machine(),
    )


def this_software() -> dict[str, str]:
    """What else figures depend on; differs between two versions that one may well want to compare."""
    return {"kernel": platform.release(), "python": platform.python_version()}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or "unknown"
