"""How the traffic's Locust processes are started: one that does it all, or a master and workers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.runtime.protocol import ServiceSpec

_LOADGEN = Path(__file__).parent / "loadgen"
WAIT_S = 60.0
"""A worker that is not there after so many seconds does not come."""
GRACE_S = 4.0


@dataclass(frozen=True)
class Processes:
    """What all processes of one load have in common."""

    name: str
    locustfile: Path
    env: Mapping[str, str]
    shaped: bool = False
    reads: tuple[Path, ...] = ()

    def leader(self, users: int, target: str, stats: Path, master: tuple[str, ...] = ()) -> ServiceSpec:
        """The process that spawns users and writes the figures: all there is, or a master."""
        argv = (
            "--headless", "--users", str(users), "--spawn-rate", str(max(users, 1)), "--host", f"http://{target}",
            "--only-summary", "--json-file", str(stats.with_suffix("")), "--stop-timeout", "1", *master,
        )  # fmt: skip
        return self._spec(self.name, argv, {"LAB_LOAD_STATS": str(stats)}, (stats.parent,))

    def worker(self, number: int, address: str) -> ServiceSpec:
        """A worker of the master at an address. Its users' seeds are its own (`lab.loadgen.settings.generator`)."""
        host, _, port = address.rpartition(":")
        argv = ("--worker", "--master-host", host, "--master-port", port)
        return self._spec(f"{self.name}-worker-{number}", argv, {}, ())

    def _spec(self, name: str, argv: tuple[str, ...], env: Mapping[str, str], writes: tuple[Path, ...]) -> ServiceSpec:
        files = [self.locustfile, _LOADGEN / "live.py", *([_LOADGEN / "shaped.py"] if self.shaped else [])]
        locust = (sys.executable, "-m", "locust", "-f", ",".join(map(str, files)))
        return ServiceSpec(
            name, (*locust, *argv, "--loglevel", "WARNING"), ready_path="", ready_port="", env={**self.env, **env},
            stop_grace_s=GRACE_S, like="load", reads=(self.locustfile.parent, _LOADGEN, *self.reads), writes=writes,
        )  # fmt: skip


def master_options(address: str, workers: int, wait_s: float) -> tuple[str, ...]:
    """Of a process that makes no requests itself, and begins when so many workers are there.

    It gives up later than the lab, which says what was missing.
    """
    host, _, port = address.rpartition(":")
    return (
        "--master", "--master-bind-host", host, "--master-bind-port", port, "--expect-workers", str(workers),
        "--expect-workers-max-wait", f"{wait_s + GRACE_S:.0f}",
    )  # fmt: skip
