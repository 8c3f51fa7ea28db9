"""Run a short-lived program with a deadline and a cap on what it may print.

Whatever is named `prometheus` on somebody's PATH may hang, print without end or leave children that hold
the pipe open; none of that may hang or fill the lab.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 256 * 1024
"""Bytes of output kept; the rest is read and thrown away."""

_POLL_S = 0.1
_EXIT_POLL_S = 0.002


@dataclass(frozen=True)
class Outcome:
    """How a program ended: `returncode` is None when the deadline passed first."""

    returncode: int | None
    text: str

    @property
    def ok(self) -> bool:
        """Whether it exited with 0 in time."""
        return self.returncode == 0

    @property
    def last_line(self) -> str:
        """The last line printed that is not blank, or an empty string."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "")


def run(
    argv: Sequence[str | Path],
    *,
    deadline_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `argv` for at most `deadline_s` seconds; stdout and stderr arrive together in `text`.

    `env` is added to the environment. Raises OSError when the program cannot be started at all. The child
    leads a session of its own: in the end its whole group is killed, and only that.
    """
    with subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd=cwd,
        env=None if env is None else {**os.environ, **env},
    ) as process:
        try:
            text = _read(process, time.monotonic() + deadline_s)
        finally:
            # Before the child is reaped: until then nobody else can have its process id, or its group's.
            _kill_group(process)
        return Outcome(None, "") if text is None else Outcome(process.wait(), text)


def _read(process: subprocess.Popen[bytes], deadline: float) -> str | None:
    """Collect output until the program has exited; None when `deadline` (monotonic seconds) passes first."""
    assert process.stdout is not None
    kept = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            ended = _has_exited(process)  # asked before the look: what it has printed is in the pipe by then
            if selector.select(0 if ended else min(left, _POLL_S)):
                chunk = os.read(process.stdout.fileno(), 65536)
                kept += chunk[: OUTPUT_LIMIT - len(kept)]
                if not chunk:
                    break
            elif ended:  # a grandchild holds the pipe; the program itself is done
                break
    while not _has_exited(process):
        if time.monotonic() >= deadline:
            return None
        time.sleep(_EXIT_POLL_S)
    return kept.decode(errors="replace")


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether the child has ended, without reaping it where the system allows that."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the child, should it still run, and whatever it left in its group."""
    if process.returncode is not None:  # reaped already: the id may be somebody else's by now
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
