"""A memory limit without a container: the lab itself kills a process that passes it, and says that it did.

The kernel's own limits for a single process bound its address space (RLIMIT_AS), not its resident memory, and a
cgroup needs root; so a thread looks five times a second. In containers the kernel enforces the limit.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from lab.runtime.native import NativeProcess

LOOK_S = 0.2


def enforce(process: NativeProcess, limit_mib: float) -> None:
    """Kill the process (SIGKILL) as soon as its resident memory passes `limit_mib`; `process.why` then says so."""
    threading.Thread(target=_watch, args=(process, limit_mib), name=f"limit-{process.pid}", daemon=True).start()


def _watch(process: NativeProcess, limit_mib: float) -> None:
    try:
        watched = psutil.Process(process.pid)
        while process.popen.poll() is None:
            resident = watched.memory_info().rss / 2**20
            if resident > limit_mib and not process.asked:
                process.why = (
                    f"killed by the lab at its memory limit of {limit_mib:.0f} MiB ({resident:.0f} MiB resident)"
                )
                watched.kill()
                return
            time.sleep(LOOK_S)
    except psutil.Error:
        return
