"""Runs the service as a child process on free loopback ports: for the benchmark and the tests."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil

START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 5.0
SERVICE = ("-m", "lab.rag")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that listens."""

    port: int
    metrics_port: int
    process: psutil.Popen

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        """Where the metrics are."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    def cpu_s(self) -> float:
        """Processor seconds that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def running(*flags: str, command: Sequence[str] = SERVICE) -> Iterator[Running]:
    """Start a service, wait until it listens, and end it afterwards. Raises RuntimeError when it does not."""
    port, metrics_port = free_ports(2)
    ports = ["--port", str(port), "--metrics-port", str(metrics_port)]
    if "--log-file" not in flags:
        ports += ["--log-file", os.devnull]
    process = psutil.Popen([sys.executable, *command, *ports, *flags], stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(port, process)
        yield Running(port, metrics_port, process)
    finally:
        stop(process)


def stop(process: psutil.Popen) -> None:
    """Ask the process to end, and make it end; it may have ended already."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody uses now."""
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait_until_up(port: int, process: psutil.Popen) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with status {process.returncode} instead of listening")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the service did not listen within {START_DEADLINE_S:g} s")
