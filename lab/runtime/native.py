"""Native runtime: each service a child process in its own process group, on a loopback port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.errors import StartError
from lab.identity import Identity, identity
from lab.registry import RUN_ID, Registration
from lab.runtime.memory import enforce
from lab.runtime.ports import LOOPBACK, Ports
from lab.runtime.protocol import Running, ServiceSpec, VolumeSpec
from lab.runtime.starts import Starts
from lab.runtime.volume import BoundedVolume, mount
from lab.sweep import TEMP_PREFIX


@dataclass
class NativeProcess:
    """A child process. `asked`: the lab has told it to stop."""

    spec: ServiceSpec
    log: Path
    popen: subprocess.Popen[bytes]
    who: Identity | None
    asked: bool = False
    why: str = ""

    @property
    def pid(self) -> int:
        """Process id."""
        return self.popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self.popen.poll()

    def how_it_ended(self) -> str:
        """Its exit code or signal, or that the lab ended it at its limit."""
        code = self.popen.poll()
        if self.why or code is None:
            return self.why
        return f"signal {-code}" if code < 0 else f"exit code {code}"


@dataclass
class NativeRuntime:
    """Runs services as children of this process; logs go to `logs/NAME.log` in the run folder."""

    run_id: str
    run_dir: Path
    registration: Registration
    name: Literal["native"] = "native"
    _ports: Ports = field(default_factory=Ports)
    _starts: Starts = field(default_factory=Starts)
    _running: list[NativeProcess] = field(default_factory=list)
    _volumes: dict[str, BoundedVolume] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temp = Path(tempfile.gettempdir()) / f"{TEMP_PREFIX}{self.run_id}"
        self.registration.add_folder(self.temp)
        self.temp.mkdir(mode=0o700)
        (self.run_dir / "logs").mkdir(exist_ok=True)

    def address(self, service: str, port: str) -> str:
        """`127.0.0.1:PORT`, chosen by the kernel and kept for the run."""
        return f"{LOOPBACK}:{self._ports.get(service, port)}"

    inside = listen = address

    def env(self) -> dict[str, str]:
        """The environment of a child: this one's, and the run's id by which a sweep knows it."""
        return {**os.environ, RUN_ID: self.run_id, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}

    def data_dir(self, volume: VolumeSpec) -> Path:
        """A folder in the run's temp folder; for a bounded volume the mount point."""
        folder = self.temp / volume.name
        with self._starts.one(volume.name):
            folder.mkdir(exist_ok=True)
            if volume.size_mib is not None and volume.name not in self._volumes:
                self._mount(folder, volume)
        return folder

    def _mount(self, folder: Path, volume: VolumeSpec) -> None:
        assert volume.size_mib is not None
        mounted = mount(folder, volume.size_mib, self.env())
        self._volumes[volume.name] = mounted
        if who := identity(mounted.holder.pid):
            self.registration.add_child(who)

    def usage(self, volume: str) -> tuple[int, int]:
        """(used, size) in bytes of a bounded volume."""
        if volume not in self._volumes:
            raise OSError(f"{volume} is not bounded")
        return self._volumes[volume].usage()

    def holder(self, volume: str) -> tuple[int, Path] | None:
        """(pid, path) through which another process can look at a bounded volume."""
        found = self._volumes.get(volume)
        return (found.holder.pid, found.path) if found else None

    def replace_volume(self, volume: VolumeSpec) -> None:
        """A fresh, empty volume under the same name."""
        self._release(volume.name)
        shutil.rmtree(self.temp / volume.name, ignore_errors=True)
        self.data_dir(volume)

    def _release(self, name: str) -> None:
        old = self._volumes.pop(name, None)
        if old is None:
            return
        who = identity(old.holder.pid)
        old.release()
        if who:
            self.registration.drop_child(who)

    def start(self, spec: ServiceSpec) -> NativeProcess:
        """Start a child in a process group of its own, appending to its log."""
        with self._starts.one(spec.name):
            return self._start(spec)

    def _start(self, spec: ServiceSpec) -> NativeProcess:
        log = self.run_dir / "logs" / f"{spec.name}.log"
        argv = spec.argv
        if spec.volume is not None and spec.volume.name in self._volumes:
            argv = self._volumes[spec.volume.name].enter(argv)
        with log.open("ab") as out:
            try:
                popen = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**self.env(), **spec.env},
                    cwd=self.temp,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartError(f"{spec.name}: {argv[0]}: {error.strerror or error}") from error
        process = NativeProcess(spec, log, popen, identity(popen.pid))
        self._running.append(process)  # first: it is stopped also where it can't be written down
        if process.who:
            self.registration.add_child(process.who)
        if spec.memory_mib is not None:
            enforce(process, spec.memory_mib)
        return process

    def reload(self, running: Running) -> None:
        """SIGHUP: Prometheus and Alertmanager read their configuration again."""
        os.kill(running.pid, signal.SIGHUP)

    def stop(self, running: Running, grace_s: float | None = None) -> None:
        """SIGTERM to the process group, SIGKILL after the grace; a no-op for one that somebody else has stopped."""
        process = next((p for p in list(self._running) if p.pid == running.pid), None)
        if process is None:
            return
        process.asked = True
        self._signal(process, signal.SIGTERM)
        try:
            process.popen.wait(process.spec.stop_grace_s if grace_s is None else grace_s)
        except subprocess.TimeoutExpired:
            self._signal(process, signal.SIGKILL)
            process.popen.wait()
        with suppress(ValueError):  # somebody else has waited for it at the same time
            self._running.remove(process)
        if process.who:
            self.registration.drop_child(process.who)

    @staticmethod
    def _signal(process: NativeProcess, number: signal.Signals) -> None:
        if process.popen.poll() is None:  # not reaped yet, so the pid and its group are still ours
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                return

    def close(self) -> None:
        """Stop what runs, last started first; let volumes, ports and the temp folder go."""
        self._starts.close()
        for process in reversed(list(self._running)):
            self.stop(process)
        for name in list(self._volumes):
            self._release(name)
        self._ports.release()
        shutil.rmtree(self.temp, ignore_errors=True)
        if self.temp.exists():  # somebody still writes there
            self.registration.left_behind()
