"""What the stack asks of a runtime, native or containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class VolumeSpec:
    """Storage of a service: a folder, bounded in size where `size_mib` is given."""

    name: str
    size_mib: float | None = None


@dataclass(frozen=True)
class ServiceSpec:
    """How to run one service: program and arguments, environment, the port that says ready, its storage,
    its memory limit, and what else it reads and writes on this machine. `like`: the service of compose.yaml
    whose image and limits it has, where it is not called so."""

    name: str
    argv: tuple[str, ...]
    ready_path: str
    ready_port: str
    env: Mapping[str, str] = field(default_factory=dict)
    volume: VolumeSpec | None = None
    memory_mib: float | None = None
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    like: str = ""
    start_timeout_s: float = 15.0
    stop_grace_s: float = 5.0


class Running(Protocol):
    """A service that was started."""

    @property
    def spec(self) -> ServiceSpec:
        """What was asked for."""
        ...

    @property
    def log(self) -> Path:
        """The file that its output goes to."""
        ...

    @property
    def pid(self) -> int:
        """Process id on this machine, for the host exporter."""
        ...

    def exit_code(self) -> int | None:
        """None while it runs; else its exit code, negative for a signal."""
        ...

    def how_it_ended(self) -> str:
        """In words, and by whom where that is known: "exit code 2", "killed at its memory limit of 256 MiB"."""
        ...


class Runtime(Protocol):
    """Starts and stops services; keeps volumes."""

    @property
    def name(self) -> str:
        """`native` or `docker`."""
        ...

    def address(self, service: str, port: str) -> str:
        """`host:port` at which a service's named port answers; the same for the whole run."""
        ...

    def inside(self, service: str, port: str) -> str:
        """`host:port` at which the services of the run reach it."""
        ...

    def listen(self, service: str, port: str) -> str:
        """`host:port` on which the service itself must listen."""
        ...

    def data_dir(self, volume: VolumeSpec) -> Path:
        """The folder of a volume, as the service sees it; creates the volume."""
        ...

    def usage(self, volume: str) -> tuple[int, int]:
        """(used, size) of a bounded volume in bytes; raises `OSError` when it is gone."""
        ...

    def holder(self, volume: str) -> tuple[int, Path] | None:
        """(pid, path) through which the host exporter sees a bounded volume; None if it is not bounded."""
        ...

    def replace_volume(self, volume: VolumeSpec) -> None:
        """Drop a volume with all it holds and make it anew in another size; its service must be stopped."""
        ...

    def start(self, spec: ServiceSpec) -> Running:
        """Start a service; returns at once. Raises `StartError` when it can't be started at all."""
        ...

    def reload(self, running: Running) -> None:
        """Ask a service to read its configuration again."""
        ...

    def stop(self, running: Running, grace_s: float | None = None) -> None:
        """SIGTERM, then SIGKILL after `grace_s` seconds, or its spec's; returns when it has ended."""
        ...

    def close(self) -> None:
        """Stop and remove whatever is left of this run."""
        ...
