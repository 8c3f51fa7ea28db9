"""`lab advise --measure`: a real Prometheus scrapes a made-up page on loopback, and is gone afterwards."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from lab.advise.exposition import Page, served
from lab.advise.footprint import Footprint, from_readings
from lab.advise.take import SCRAPE_MS, Block, Clock, take
from lab.errors import LabError
from lab.install import Binary
from lab.interrupts import ignored, put_off
from lab.prom import Prometheus
from lab.ready import wait_ready
from lab.registry import Registration
from lab.runtime.native import NativeRuntime
from lab.runtime.protocol import ServiceSpec, VolumeSpec
from lab.sweep import TEMP_PREFIX

SERIES = 20_000
NAME = "prometheus"
SNAPSHOT_S = 30.0

CONFIG = """\
global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}
scrape_configs:
  - job_name: measured
    static_configs: [{{targets: ['{target}']}}]
"""


def measure(binary: Binary, say: Callable[[str], None]) -> Footprint:
    """About 90 s, and one core of them; nothing is left behind. Raises `LabError` where it says nothing."""
    page = Page(SERIES)
    run_id = f"measure-{secrets.token_hex(6)}"
    run_dir = Path(tempfile.gettempdir()) / f"{TEMP_PREFIX}{run_id}"  # the runtime makes it, the runtime removes it
    registration = Registration(run_id, run_dir)
    with served(page) as target:
        runtime: NativeRuntime | None = None
        try:
            with put_off():
                runtime = NativeRuntime(run_id, run_dir, registration)
            subject = _start(binary, runtime, target)
            read = take(subject, page.fill, Clock(time.monotonic, time.sleep), say)
        finally:
            with ignored():
                if runtime is not None:
                    runtime.close()
                registration.remove()
    when = time.strftime("%Y-%m-%d", time.gmtime())
    return from_readings(read, f"measured on this machine on {when} with Prometheus {binary.version_text}")


def _start(binary: Binary, runtime: NativeRuntime, target: str) -> Server:
    config = runtime.temp / "prometheus.yml"
    config.write_text(CONFIG.format(interval=SCRAPE_MS, target=target), encoding="utf-8")
    volume = VolumeSpec("data")
    data = runtime.data_dir(volume)
    address = runtime.address(NAME, "http")
    argv = (
        str(binary.path), f"--config.file={config}", f"--storage.tsdb.path={data}",
        f"--web.listen-address={runtime.listen(NAME, 'http')}", "--web.enable-admin-api",
    )  # fmt: skip
    running = runtime.start(ServiceSpec(NAME, argv, ready_path="/-/ready", ready_port="http", volume=volume))
    wait_ready(running, f"http://{address}/-/ready")
    return Server(address, running.pid, data)


@dataclass(frozen=True)
class Server:
    """A running Prometheus, as `take` asks it."""

    address: str
    pid: int
    data: Path

    def rss(self) -> int:
        """Resident memory, bytes; raises `LabError` when it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error as error:
            raise LabError(f"the Prometheus that was measured has ended ({error})") from error

    def series(self) -> int:
        """In the head."""
        client = Prometheus(self.address, timeout_s=10.0)
        try:
            found = client.head_series()
        finally:
            client.close()
        if found is None:
            raise LabError("the Prometheus that was measured does not say how many series it has")
        return int(found)

    def wal_bytes(self) -> int:
        """Of the write-ahead log on disk."""
        return folder_bytes(self.data / "wal")

    def block(self) -> Block:
        """A snapshot of the head: https://prometheus.io/docs/prometheus/latest/querying/api/#snapshot."""
        url = f"http://{self.address}/api/v1/admin/tsdb/snapshot"
        try:
            answer = httpx.post(url, timeout=SNAPSHOT_S, trust_env=False).json()
            name = str(answer["data"]["name"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise LabError(f"the Prometheus that was measured made no snapshot ({type(error).__name__})") from error
        return read_blocks(self.data / "snapshots" / Path(name).name)


def read_blocks(folder: Path) -> Block:
    """All blocks in a folder as one. Raises `LabError` where there is none."""
    samples = chunk_bytes = 0
    try:
        for meta in folder.glob("*/meta.json"):
            samples += int(json.loads(meta.read_bytes())["stats"]["numSamples"])
            chunk_bytes += folder_bytes(meta.parent / "chunks")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{folder}: not a block ({error})") from error
    if not samples:
        raise LabError(f"{folder}: holds no samples")
    return Block(samples, chunk_bytes)


def folder_bytes(folder: Path) -> int:
    """Of all files in it."""
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise LabError(f"{folder}: {error.strerror or error}") from error
