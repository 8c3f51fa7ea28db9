"""`lab doctor`: what is there, what is missing, and the remedy for each. Changes nothing, downloads nothing.

`missing` stops a run. `optional` is a capability without which some checks are skipped, with this reason.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lab.bench.machine import usable_cores
from lab.install import BinaryError, find
from lab.install.bounded import run
from lab.install.cache import cache_dir

Status = Literal["ok", "missing", "optional"]

NEEDED_PYTHON = (3, 11)
NEEDED_DISK = 2 * 1024**3
NEEDED_MEMORY = 2 * 1024**3
ADVISED_CORES = 2

_VOLUME_S = 5.0
_DOCKER_S = 3
_WITHOUT = {
    "redis": "without it no stack of `docker compose`, whose service waits for it",
    "grafana": "without it no dashboards, all else works",
}
"""Service that no run needs -> what its missing image keeps from working."""
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True)
class Item:
    """One thing a run needs or profits from. `remedy` is empty when it is ok."""

    name: str
    status: Status
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """The result of an examination."""

    items: tuple[Item, ...]

    @property
    def ok(self) -> bool:
        """Whether `lab run` can work here: nothing is missing."""
        return all(item.status != "missing" for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data: `{"ok": true, "items": [{name, status, found, remedy}]}`."""
        return {"ok": self.ok, "items": [asdict(item) for item in self.items]}

    def to_lines(self) -> list[str]:
        """Return the report for a terminal, one line an item and one for each remedy."""
        lines: list[str] = []
        for item in self.items:
            lines.append(f"{item.status:<9} {item.name:<13} {item.found}")
            if item.remedy:
                lines.append(f"{'':<23} -> {item.remedy}")
        return lines


def examine(explicit: Mapping[str, Path] | None = None) -> Report:
    """Look at this machine; `explicit` maps a program's name to the value of its flag.

    Takes about 0.2 s where all is well and at most a few deadlines of 5 s where programs hang; the
    examinations run side by side. None of them raises.
    """
    chosen = dict(explicit or {})
    looks: list[tuple[str, Callable[[], Item]]] = [("python", look_at_python)]
    for name in ("prometheus", "promtool", "alertmanager", "amtool", "redis-server"):
        looks.append((name, lambda name=name: look_at_binary(name, chosen)))  # type: ignore[misc]
    looks += [
        ("locust", look_at_locust),
        ("volume", look_at_volume),
        ("docker", look_at_docker),
        ("images", look_at_images),
        ("disk", look_at_disk),
        ("memory", look_at_memory),
        ("cores", look_at_cores),
        ("loopback", look_at_loopback),
        ("chromium", look_at_chromium),
    ]
    with ThreadPoolExecutor(len(looks)) as pool:
        return Report(tuple(pool.map(lambda look: _guarded(*look), looks)))


def look_at_python() -> Item:
    """Check the interpreter's version."""
    needed = ".".join(map(str, NEEDED_PYTHON))
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < NEEDED_PYTHON:
        return Item("python", "missing", found, f"use Python {needed} or later")
    return Item("python", "ok", found)


def look_at_binary(name: str, explicit: Mapping[str, Path]) -> Item:
    """Find a server or tool and run it once. amtool and redis-server are optional."""
    server = {"promtool": "prometheus", "amtool": "alertmanager"}.get(name)
    try:
        beside = find(server, explicit[server]) if server is not None and server in explicit else None
        binary = find(name, explicit.get(name), beside=beside)
    except BinaryError as error:
        status: Status = "optional" if name in ("amtool", "redis-server") else "missing"
        return Item(name, status, error.problem, error.remedy)
    return Item(name, "ok", f"{binary.version_text} ({binary.path}, {binary.source})")


def look_at_locust() -> Item:
    """Check that Locust is installed, without importing it: it monkey-patches the process."""
    if importlib.util.find_spec("locust") is None:
        return Item("locust", "missing", "not installed", "pip install monitoring-failure-lab in this environment")
    return Item("locust", "ok", importlib.metadata.version("locust"))


def look_at_volume() -> Item:
    """Try to mount a tmpfs of 1 MiB where no other process sees it, as a run does for Prometheus' data."""
    mount = 'mount -t tmpfs -o size=1m,mode=700 lab-doctor "$0" && exec df -k "$0"'
    attempts = [["unshare", "-Urm"], *([["unshare", "-m"]] if os.geteuid() == 0 else [])]
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        remedy = "run on Linux with util-linux, or in a container"
        return Item("volume", "optional", "no unshare and nsenter on this machine", remedy)
    reasons: list[str] = []
    for attempt in attempts:
        outcome = run([*attempt, "sh", "-c", mount, "/tmp"], deadline_s=_VOLUME_S)  # noqa: S108
        if outcome.ok:
            return Item("volume", "ok", f"a volume of bounded size can be mounted ({' '.join(attempt)})")
        why = "no answer in time" if outcome.returncode is None else outcome.last_line
        reasons.append(f"{' '.join(attempt)}: {why}")
    return Item("volume", "optional", "; ".join(reasons), _volume_remedy())


def look_at_docker() -> Item:
    """Ask the Docker engine for its version, when the docker package is there to ask with."""
    if importlib.util.find_spec("docker") is None:
        return Item("docker", "optional", "the Python package docker is not installed", "use --runtime native")
    docker: Any = importlib.import_module("docker")
    try:
        client = docker.from_env(timeout=_DOCKER_S)
        try:
            version = client.version()["Version"]
        finally:
            client.close()
    except Exception as error:  # the SDK lets errors of three libraries through
        from lab.images.engine import REMEDY, silence

        return Item("docker", "optional", silence(error), REMEDY)
    return Item("docker", "ok", f"engine {version}")


def look_at_images() -> Item:
    """Say which images containers would be made from, and why; which are missing, and what does not work then."""
    from lab.errors import LabError
    from lab.images import choose, connect, startable

    try:
        with closing(connect()) as engine:
            chosen = choose(engine)
    except (LabError, ImportError):
        return Item("images", "optional", "no engine to ask", "start a Docker engine, or use --runtime native")
    told = {f"{one.image} ({one.why})": None for one in chosen.values() if one.present}
    found = "; ".join(told) or "none of the stack's"
    if lacking := startable(chosen):
        remedy = "`lab install --images` fetches them, `lab images build` makes them here"
        return Item("images", "optional", f"{found}; missing: {', '.join(lacking)}", remedy)
    if less := [f"no {chosen[name].image}: {what}" for name, what in _WITHOUT.items() if not chosen[name].present]:
        remedy = "`lab install --images` fetches what is missing; `lab run` and `lab up` need none of it"
        return Item("images", "optional", "; ".join([found, *less]), remedy)
    return Item("images", "ok", found)


def look_at_disk() -> Item:
    """Check the space where runs and the cache are written."""
    places = {place: shutil.disk_usage(place).free for place in (Path.cwd(), existing(cache_dir()))}
    place, free = min(places.items(), key=lambda pair: pair[1])
    found = f"{_gib(free)} free at {place}"
    if free < NEEDED_DISK:
        return Item("disk", "missing", found, f"free {_gib(NEEDED_DISK)} there, or choose --out and LAB_CACHE_DIR")
    return Item("disk", "ok", found)


def available_memory() -> int:
    """Bytes that can be had without swapping, also within a container's limit."""
    import psutil

    return min([int(psutil.virtual_memory().available), *_cgroup_headroom()])


def look_at_memory() -> Item:
    """Check the memory that can be had without swapping, also within a container's limit."""
    available = available_memory()
    if available < NEEDED_MEMORY:
        return Item(
            "memory", "missing", f"{_gib(available)} available", f"close programs: {_gib(NEEDED_MEMORY)} needed"
        )
    return Item("memory", "ok", f"{_gib(available)} available")


def look_at_cores() -> Item:
    """Count the cores this process may use; one is enough to run, not to measure without noise."""
    cores = usable_cores()
    if cores < ADVISED_CORES:
        remedy = "give the machine two cores: on one, a run may end inconclusive"
        return Item("cores", "optional", f"{cores} core", remedy)
    return Item("cores", "ok", f"{cores} cores")


def look_at_loopback() -> Item:
    """Open a port on 127.0.0.1 and connect to it."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=2),
        ):
            return Item("loopback", "ok", "127.0.0.1 accepts connections")
    except OSError as error:
        return Item("loopback", "missing", f"127.0.0.1: {error.strerror or error}", "ip link set lo up")


def look_at_chromium() -> Item:
    """Look for a browser that can draw pictures of pages without a display."""
    for name in _CHROMIUM_NAMES:
        if path := shutil.which(name):
            return Item("chromium", "ok", path)
    return Item("chromium", "optional", "not on PATH", "install chromium for pictures of pages")


def _guarded(name: str, look: Callable[[], Item]) -> Item:
    """Turn an examination that breaks into an item that says so: the doctor must not be the patient."""
    try:
        return look()
    except Exception as error:
        return Item(name, "optional", f"could not be examined ({type(error).__name__}: {error})")


def _volume_remedy() -> str:
    """Name the switch that forbids user namespaces on this machine, where it can be told."""
    for file, forbidding, setting in (
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ):
        try:
            if Path("/proc/sys", file).read_text().strip() == forbidding:
                return f"sudo sysctl {setting}, or run as root"
        except OSError:
            continue
    return "run as root, or in a container with --cap-add SYS_ADMIN; else the checks that need it are skipped"


def _cgroup_headroom() -> list[int]:
    """Return the bytes left below the limit of this process' control group (version 2), if it has one."""
    try:
        path = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2].lstrip("/")
        group = Path("/sys/fs/cgroup", path)
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return [limit - used + int(statistics.get("inactive_file", "0"))]  # page cache gives way
    except (OSError, ValueError):  # no cgroup v2, or no limit ("max")
        return []


def existing(path: Path) -> Path:
    """Return the nearest ancestor of `path` that exists."""
    return next(place for place in (path, *path.parents) if os.access(place, os.F_OK))


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
