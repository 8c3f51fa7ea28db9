"""Docker runtime: each service a container on a network of the run's own, with limits that the kernel enforces.

What a container is made of (image, hardening, limits, health check) stands in compose/compose.yaml. Folders of the run
are seen at the same path inside and outside, so that a command line means the same in both.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab import __version__
from lab.compose import Compose, ComposeService, load
from lab.endpoints import container_port
from lab.errors import StartError
from lab.images.choose import Chosen
from lab.images.engine import Engine, EngineError, address, told
from lab.registry import Registration
from lab.runtime.containers import LABEL, Container, Logs, name_of
from lab.runtime.ends import Ends
from lab.runtime.ports import LOOPBACK, Ports
from lab.runtime.protocol import Running, ServiceSpec, VolumeSpec
from lab.runtime.starts import Starts
from lab.runtime.tmpfs import TmpfsVolume
from lab.sweep import TEMP_PREFIX

ANYWHERE = "0.0.0.0"  # noqa: S104 - inside its container; outside only loopback is published
NOBODY = 65534
NANO = 1_000_000_000
_PACKAGE = Path(__file__).resolve().parents[1]
PACKAGE_INSIDE = "/opt/lab/package/lab"
"""Where the image has the lab's package; that of this machine lies over it, so that both sides of a run agree."""
CHECK_EVERY_S = 15.0
"""Seconds between health checks in a run, which watches readiness itself; each costs a process."""


def owner() -> tuple[int, int]:
    """User and group of the containers: who runs the lab, but never root."""
    return (os.getuid(), os.getgid()) if os.getuid() else (NOBODY, NOBODY)


def variables() -> Mapping[str, str]:
    """What fills in compose.yaml: the environment, and who owns the run."""
    uid, gid = owner()
    return {"LAB_UID": str(uid), "LAB_GID": str(gid), **os.environ}


@dataclass
class DockerRuntime:
    """Runs services as containers; their output goes to `logs/NAME.log` in the run folder."""

    run_id: str
    run_dir: Path
    registration: Registration
    engine: Engine
    images: Mapping[str, Chosen]
    name: Literal["docker"] = "docker"
    compose: Compose = field(default_factory=lambda: load(variables()))
    _ports: Ports = field(default_factory=Ports)
    _starts: Starts = field(default_factory=Starts)
    _running: dict[str, Container] = field(default_factory=dict)
    _volumes: dict[str, TmpfsVolume] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temp = Path(tempfile.gettempdir()) / f"{TEMP_PREFIX}{self.run_id}"
        self.registration.add_folder(self.temp)
        self.registration.on_engine(address())
        self.temp.mkdir(mode=0o700)
        (self.run_dir / "logs").mkdir(exist_ok=True)
        self.labels = {LABEL: self.run_id, "lab.version": __version__}
        self.ends = Ends(self.run_id)
        with told("network"):
            self.network = self.engine.networks.create(name_of(self.run_id, "net"), labels=self.labels)

    # Addresses

    def address(self, service: str, port: str) -> str:
        """`127.0.0.1:PORT`, chosen by the kernel and kept for the run."""
        return f"{LOOPBACK}:{self._ports.get(service, port)}"

    def inside(self, service: str, port: str) -> str:
        """`NAME:PORT` on the run's network, as compose/ spells it."""
        return f"{service}:{container_port(service, port)}"

    def listen(self, service: str, port: str) -> str:
        """Every address of the container; the port as in compose/. Asking for it publishes the port."""
        self._ports.get(service, port)
        return f"{ANYWHERE}:{container_port(service, port)}"

    # Storage

    def data_dir(self, volume: VolumeSpec) -> Path:
        """A folder of the run, at the same path inside; for a bounded volume a tmpfs of the engine's."""
        folder = self.temp / volume.name
        with self._starts.one(volume.name):
            if not folder.exists():
                folder.mkdir()
                _give(folder)
            if volume.size_mib is not None and volume.name not in self._volumes:
                with self._or_left_behind():
                    self._volumes[volume.name] = TmpfsVolume.create(
                        self.engine, self.run_id, volume.name, volume.size_mib, folder,
                        image=self.images["host"].id, owner=owner(), labels=self.labels,
                    )  # fmt: skip
        return folder

    @contextmanager
    def _or_left_behind(self) -> Iterator[None]:
        """What a failing engine has half made, or makes after all, nobody knows: the next sweep finds the label."""
        try:
            yield
        except EngineError:
            self.registration.left_behind()
            raise

    def usage(self, volume: str) -> tuple[int, int]:
        """(used, size) in bytes of a bounded volume."""
        if volume not in self._volumes:
            raise OSError(f"{volume} is not bounded")
        return self._volumes[volume].usage()

    def holder(self, volume: str) -> tuple[int, Path] | None:
        """(pid, path) through which the host exporter looks at a bounded volume."""
        found = self._volumes.get(volume)
        return (found.pid, found.path) if found else None

    def replace_volume(self, volume: VolumeSpec) -> None:
        """A fresh, empty volume under the same name."""
        old = self._volumes.pop(volume.name, None)
        if old is not None:
            old.release()
        shutil.rmtree(self.temp / volume.name, ignore_errors=True)
        self.data_dir(volume)

    # Services

    def start(self, spec: ServiceSpec) -> Container:
        """Create and start a container. Raises `StartError` when the engine refuses."""
        with self._starts.one(spec.name):
            return self._start(spec)

    def _start(self, spec: ServiceSpec) -> Container:
        log = self.run_dir / "logs" / f"{spec.name}.log"
        old = self._running.pop(spec.name, None)
        if old is not None:
            old.remove()
        try:
            with self._or_left_behind(), told(spec.name):
                made = self.engine.containers.create(**self._options(spec))
            container = Container(spec, log, made, self.ends)
            self._running[spec.name] = container
            container.start()
        except EngineError as error:
            raise StartError(str(error)) from error
        container.logs = Logs.follow(made, log)
        return container

    def _options(self, spec: ServiceSpec) -> dict[str, Any]:
        like = self.compose[spec.like or spec.name]
        memory = int(spec.memory_mib * 2**20) if spec.memory_mib is not None else like.memory_bytes
        return {
            "image": self.images[like.name].id,
            "entrypoint": [_program(spec.argv[0])],
            "command": list(spec.argv[1:]),
            "name": name_of(self.run_id, spec.name),
            "hostname": spec.name,
            "labels": {**self.labels, "lab.service": spec.name},
            "environment": {**like.environment, **spec.env, "LAB_SERVICE": spec.name},
            "network": self.network.name,
            "networking_config": {self.network.name: self.engine.api.create_endpoint_config(aliases=[spec.name])},
            "ports": dict(self._published(spec.name)),
            "volumes": self._binds(spec),
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": like.pids,
            "working_dir": "/tmp",  # noqa: S108 - the container's own
            **hardening(like),
        }

    def _published(self, service: str) -> Iterator[tuple[str, tuple[str, int]]]:
        for port, number in self._ports.of(service):
            yield f"{container_port(service, port)}/tcp", (LOOPBACK, number)

    def _binds(self, spec: ServiceSpec) -> list[str]:
        binds = {str(path): "ro" for path in spec.reads}
        for path in spec.writes:
            path.mkdir(exist_ok=True)
            _give(path)
            binds[str(path)] = "rw"
        found = [f"{path}:{path}:{mode}" for path, mode in binds.items()]
        if spec.argv[0] == sys.executable:
            found.append(f"{_PACKAGE}:{PACKAGE_INSIDE}:ro")
        if spec.volume is not None:
            folder = self.temp / spec.volume.name
            bounded = self._volumes.get(spec.volume.name)
            found.append(f"{bounded.name if bounded else folder}:{folder}:rw")
        return found

    def reload(self, running: Running) -> None:
        """SIGHUP: Prometheus and Alertmanager read their configuration again."""
        with told(f"{running.spec.name}: reload"):
            self._running[running.spec.name].container.kill(signal="SIGHUP")

    def stop(self, running: Running, grace_s: float | None = None) -> None:
        """SIGTERM, then SIGKILL after the grace; the container goes with its log kept.

        With the engine gone nothing can be stopped: what is left is removed when it is back.
        """
        container = self._running.pop(running.spec.name, None)
        if container is None:
            return
        try:
            container.stop(container.spec.stop_grace_s if grace_s is None else grace_s)
        except EngineError:
            self.registration.left_behind()

    def close(self) -> None:
        """Stop what runs; let containers, volumes, network, ports and the temp folder go."""
        self._starts.close()
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(self.stop, list(self._running.values())))
            for volume in self._volumes.values():
                volume.release()
            with told("network"):
                self.network.remove()
        except EngineError:
            self.registration.left_behind()  # the engine is gone: the next command tries again
        self._volumes.clear()
        self.ends.close()
        self._ports.release()
        shutil.rmtree(self.temp, ignore_errors=True)
        if self.temp.exists():  # somebody still writes there
            self.registration.left_behind()
        self.engine.close()


def hardening(service: ComposeService) -> dict[str, Any]:
    """What compose.yaml says of a container's privileges and health, as the SDK's options."""
    found: dict[str, Any] = {
        "user": service.user,
        "read_only": service.read_only,
        "cap_drop": list(service.cap_drop),
        # Where SELinux is on, folders of the user are not relabelled for a run.
        "security_opt": [*service.security, "label=disable"],
        "tmpfs": {path: options for path, _, options in (entry.partition(":") for entry in service.tmpfs)},
    }
    if service.host_pids:
        found["pid_mode"] = "host"
    if service.healthcheck is not None:
        check = service.healthcheck
        found["healthcheck"] = {
            "test": list(check.test),
            "interval": int(CHECK_EVERY_S * NANO),
            "timeout": int(check.timeout_s * NANO),
            "retries": check.retries,
        }
    return found


def _program(path: str) -> str:
    """The image's own Python in place of this machine's; a server's path is the image's already."""
    return "python3" if path == sys.executable else path


def _give(folder: Path) -> None:
    """Root's folders are handed to the user of the containers; another user owns them already."""
    if os.getuid() == 0:
        os.chown(folder, *owner())
