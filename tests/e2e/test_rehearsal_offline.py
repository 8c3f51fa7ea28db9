"""`lab rehearse` without a network: green on a prepared machine, else what is missing, before anything starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lab_run import LAB

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:  # SIOCSIFFLAGS: loopback up and running
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""In a network namespace of its own: it has a loopback device, and nothing else."""

SYSTEM = "/usr/bin:/bin"


def rehearse(tmp: Path, *argv: str, deadline_s: float, **env: str) -> subprocess.CompletedProcess[str]:
    """`lab rehearse` without a network, with registers of its own."""
    return subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", WITHOUT_NETWORK, *LAB, "rehearse", *argv, "--out", str(tmp / "runs")],
        capture_output=True, text=True, timeout=deadline_s, check=False,
        env={**os.environ, "LAB_STATE_DIR": str(tmp / "state"), **env},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def namespaces() -> None:
    """Skips, with the reason, where this user can't make a network namespace."""
    try:
        subprocess.run(["unshare", "-rn", "true"], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespace can be made here: {error}")


@pytest.mark.whole
def test_a_prepared_machine_is_green(tmp_path: Path) -> None:
    done = rehearse(tmp_path, "missing_metrics", deadline_s=180)
    assert done.returncode == 0, done.stderr
    assert "green missing_metrics:server_not_started: played" in done.stderr
    assert done.stderr.rstrip().endswith("GREEN")


def test_a_machine_that_lacks_something_says_what_and_starts_nothing(tmp_path: Path) -> None:
    if shutil.which("prometheus", path=SYSTEM):
        pytest.skip("a Prometheus is installed for everybody here")
    nothing = {"LAB_CACHE_DIR": str(tmp_path / "cache"), "LAB_PROMETHEUS_BIN": "", "PATH": SYSTEM}
    done = rehearse(tmp_path, deadline_s=60, **nothing)
    assert done.returncode == 3, done.stderr
    assert "red   machine: prometheus: Prometheus was not found" in done.stderr
    assert "run `lab install`" in done.stderr
    assert done.stderr.rstrip().endswith("RED: nothing was started")
    assert not (tmp_path / "runs").exists()
