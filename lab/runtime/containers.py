"""A container as a running service: its state from the engine's events, its output into a file."""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.images.engine import EngineError, told
from lab.runtime.ends import Ends
from lab.runtime.protocol import ServiceSpec

LABEL = "lab.run"
"""The label that carries a run's id; a sweep removes what has it, and nothing else."""


def name_of(run_id: str, what: str) -> str:
    """The name of a container, a volume or the network of a run."""
    return f"lab-{run_id}-{what}"


@dataclass
class Logs:
    """Follows a container's output into a file."""

    thread: threading.Thread

    @classmethod
    def follow(cls, container: Any, log: Path) -> Logs:
        """Begin now; from the container's first line on."""
        thread = threading.Thread(target=_copy, args=(container, log), name=f"logs-{log.stem}", daemon=True)
        thread.start()
        return cls(thread)

    def finish(self) -> None:
        """Wait for the last lines of a container that has ended."""
        self.thread.join(2.0)


def _copy(container: Any, log: Path) -> None:
    with log.open("ab", buffering=0) as out, suppress(EngineError), told(log.stem):
        for chunk in container.logs(stream=True, follow=True):
            out.write(chunk)


@dataclass
class Container:
    """A service in a container. `pid` is that of its first process, in the machine's numbering."""

    spec: ServiceSpec
    log: Path
    container: Any
    ends: Ends
    pid: int = 0
    logs: Logs | None = field(default=None)

    def start(self) -> None:
        """Start it and learn its process id. Raises `EngineError`."""
        with told(self.spec.name):
            self.container.start()
            self.container.reload()
        self.pid = int(self.container.attrs["State"]["Pid"])
        self.ends.watch(self.container.id, self.pid, limited=self.spec.memory_mib is not None)

    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal. Raises `EngineError` when the engine is gone."""
        code = self.ends.code(self.container.id)
        if code is None:
            return None
        return 128 - code if code > 128 else code

    def how_it_ended(self) -> str:
        """Its exit code or signal, or that the kernel ended it at its limit, and what says so."""
        code = self.exit_code()
        if code is None:
            return ""
        seen = self.ends.out_of_memory(self.container.id)
        if seen and self.spec.memory_mib is not None:
            said = " and ".join(seen)
            return f"killed by the kernel at its memory limit of {self.spec.memory_mib:.0f} MiB ({said})"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self, grace_s: float) -> None:
        """SIGTERM, SIGKILL after the grace (whole seconds, rounded up), and away with it. Raises `EngineError`."""
        if self.ends.code(self.container.id) is None:
            with told(f"{self.spec.name}: stop"):
                self.container.stop(timeout=math.ceil(grace_s))
        self.remove()

    def remove(self) -> None:
        """Remove the container; its log is kept. Raises `EngineError`."""
        if self.logs is not None:
            self.logs.finish()
        remove(self.container)


def remove(container: Any) -> None:
    """Remove a container with its anonymous volumes; one that is gone already is fine. Raises `EngineError`."""
    import docker.errors

    with told("remove"), suppress(docker.errors.NotFound):
        container.remove(force=True, v=True)
