"""The host exporter: memory and disk of every service, asked from outside with psutil.

A process that leaks can't be asked about itself: its own scrapes time out first. So the figures come from
the kernel, under the names of cAdvisor and node_exporter. Runs alone:
`python -m lab.services.host --port PORT --targets FILE`; the file is read again at every scrape:
{"services": {"rag": 123}, "volumes": {"prometheus-data": {"holder": 456, "path": "/x"}}}.
Without a file it finds the services by the variable `LAB_SERVICE` in their environment (the kernel shows it to
processes of the same user), and the volumes as the folders of `--volumes DIR`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import start_http_server

from lab.runtime.protocol import ServiceSpec

PORT = "http"
SERVICE = "LAB_SERVICE"
"""The variable by which a container's process says which service it is."""


class HostCollector:
    """Asks the kernel at every scrape."""

    def __init__(self, targets: Path | None, volumes: Path | None = None) -> None:
        self._targets = targets
        self._mounted = volumes

    def _read(self) -> dict[str, Any]:
        if self._targets is None:
            return {"services": _by_environment(), "volumes": _folders(self._mounted)}
        try:
            found = json.loads(self._targets.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def collect(self) -> Iterator[Metric]:
        """Memory and CPU by service, size and free space by volume."""
        targets = self._read()
        yield from _processes(targets.get("services", {}))
        yield from _volumes(targets.get("volumes", {}))


def _by_environment() -> dict[str, int]:
    """The first process of each service; its children inherit the variable."""
    named = {process.pid: name for process in psutil.process_iter() if (name := _service_of(process))}
    found: dict[str, int] = {}
    for pid, name in named.items():
        with contextlib.suppress(psutil.Error):
            if named.get(psutil.Process(pid).ppid()) != name:
                found.setdefault(name, pid)
    return found


def _service_of(process: psutil.Process) -> str:
    try:
        return process.environ().get(SERVICE, "")
    except psutil.Error:  # it has ended, or is somebody else's
        return ""


def _folders(volumes: Path | None) -> dict[str, dict[str, Any]]:
    """Volumes that are mounted under one folder, each by its name."""
    found = sorted(volumes.iterdir()) if volumes is not None and volumes.is_dir() else []
    return {path.name: {"holder": "self", "path": str(path)} for path in found}


def _processes(services: dict[str, int]) -> Iterator[Metric]:
    memory = GaugeMetricFamily(
        "container_memory_working_set_bytes", "Resident memory of a service and its children.", labels=["name"]
    )
    for name, pid in services.items():
        try:
            process = psutil.Process(pid)
            family = [process, *process.children(recursive=True)]
            memory.add_metric([name], sum(p.memory_info().rss for p in family))
        except psutil.Error:
            continue
    yield memory


def _volumes(volumes: dict[str, dict[str, Any]]) -> Iterator[Metric]:
    size = GaugeMetricFamily("node_filesystem_size_bytes", "Size of a volume.", labels=["mountpoint"])
    free = GaugeMetricFamily("node_filesystem_avail_bytes", "Free space of a volume.", labels=["mountpoint"])
    for name, where in volumes.items():
        try:
            # /proc/PID/root is the root of the holder's mount namespace, in which alone the volume is mounted.
            found = os.statvfs(f"/proc/{where['holder']}/root{where['path']}")
        except (OSError, KeyError, TypeError):
            continue
        size.add_metric([name], found.f_blocks * found.f_frsize)
        free.add_metric([name], found.f_bavail * found.f_frsize)
    yield size
    yield free


def spec(listen: str, targets: Path) -> ServiceSpec:
    """How the stack runs it."""
    host, _, port = listen.rpartition(":")
    argv = (sys.executable, "-m", "lab.services.host", "--host", host, "--port", port, "--targets", str(targets))
    return ServiceSpec("host", argv, ready_path="/metrics", ready_port=PORT, stop_grace_s=2.0, reads=(targets.parent,))


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="lab.services.host", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--targets", type=Path, help="file with process ids and volumes; without it they are found")
    parser.add_argument("--volumes", type=Path, help="folder with a mounted volume in each of its folders")
    args = parser.parse_args()
    registry = CollectorRegistry()
    registry.register(HostCollector(args.targets, args.volumes))
    # As the first process of a container it has no default action for a signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _, thread = start_http_server(args.port, args.host, registry)
    thread.join()


if __name__ == "__main__":
    main()
