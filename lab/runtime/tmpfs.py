"""A bounded volume in containers: a tmpfs of the engine's, kept mounted by a container that does nothing else.

The engine empties a tmpfs when the last container that has it ends, and a restart of a service would do that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.images.engine import Engine, told
from lab.runtime.containers import name_of, remove


@dataclass
class TmpfsVolume:
    """A volume of the engine's and the container that holds it; `path` is where containers mount it."""

    name: str
    path: Path
    pid: int
    volume: Any
    container: Any

    @classmethod
    def create(
        cls, engine: Engine, run_id: str, name: str, size_mib: float, path: Path,
        *, image: str, owner: tuple[int, int], labels: Mapping[str, str],
    ) -> TmpfsVolume:  # fmt: skip
        """Make and hold a volume of `size_mib` MiB. Raises `EngineError`."""
        full = name_of(run_id, name)
        size = f"{max(1, round(size_mib * 1024))}k"
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size},uid={owner[0]},gid={owner[1]},mode=0755"}
        with told(f"volume {name}"):
            volume = engine.volumes.create(full, driver="local", driver_opts=options, labels=dict(labels))
            container = engine.containers.create(
                image, entrypoint=["sleep"], command=["2147483647"], name=f"{full}-holder", labels=dict(labels),
                volumes=[f"{full}:{path}:rw"], network_mode="none", user=f"{owner[0]}:{owner[1]}", read_only=True,
                cap_drop=["ALL"], security_opt=["no-new-privileges", "label=disable"], mem_limit=16 << 20,
                memswap_limit=16 << 20, pids_limit=8,
            )  # fmt: skip
            container.start()
            container.reload()
        return cls(full, path, int(container.attrs["State"]["Pid"]), volume, container)

    def usage(self) -> tuple[int, int]:
        """(used, size) in bytes. Raises `OSError` when it can't be seen from here."""
        found = os.statvfs(f"/proc/{self.pid}/root{self.path}")
        return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_blocks * found.f_frsize

    def release(self) -> None:
        """Remove both; its service must have gone. Raises `EngineError`."""
        import docker.errors

        remove(self.container)
        with told(f"volume {self.name}"):
            try:
                self.volume.remove(force=True)
            except docker.errors.NotFound:
                return
