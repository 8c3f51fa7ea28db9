"""`python -m lab.classroom WANTED`: the owner of a teaching stack, as `lab up` starts it.

One line of JSON on stdout says that it is ready, or why it is not; what follows goes to `logs/owner.log`.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.catalog import find
from lab.classroom.control import ControlServer
from lab.classroom.owner import Owner
from lab.classroom.prepared import Prepared, prepare
from lab.classroom.wanted import Wanted
from lab.errors import LabError, UsageError
from lab.interrupts import answered_once, put_off
from lab.plan import make_run_dir
from lab.registry import CONTROL, Registration, state_dir

LOOK_S = 1.0


def main() -> int:
    """Own a stack until it is asked to stop, or told to by SIGTERM or SIGINT."""
    wanted = Wanted.from_json(sys.argv[1])
    try:
        with answered_once(), _alone():
            _own(prepare(find(wanted.target) if wanted.target else None, wanted.options))
    except LabError as error:
        _tell({"error": str(error), "exit_code": error.exit_code})
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """One stack at a time: the state folder is locked as long as this process lives. Raises `UsageError`."""
    folder = state_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise LabError(f"{folder}: {error.strerror}; set LAB_STATE_DIR to a folder for it") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UsageError("a stack is up already (lab status); `lab down` stops it") from error
    try:
        yield
    finally:
        os.close(lock)


def _own(prepared: Prepared) -> None:
    over = threading.Event()
    with ExitStack() as unwind:
        with put_off():  # what is there and can't be stopped yet would stay
            owner, server, control_file = _build(prepared, unwind, over)
        owner.start()
        server.start()
        server.control.write(control_file)
        _tell({"ready": True})
        while not over.wait(LOOK_S):
            owner.look()


def _build(prepared: Prepared, unwind: ExitStack, over: threading.Event) -> tuple[Owner, ControlServer, Path]:
    """Put it together, with all that stops it; nothing is started but what holds its disk."""
    run_dir = make_run_dir(prepared.options.out, "up")
    _log_to(run_dir / "logs" / "owner.log")
    registration = Registration(f"up-{run_dir.name}-{secrets.token_hex(3)}", run_dir)
    unwind.callback(registration.remove)
    runtime = prepared.place.runtime(registration.entry.run_id, run_dir, registration)
    unwind.callback(runtime.close)
    owner = Owner(prepared, runtime, run_dir)
    unwind.callback(owner.stop)
    server = ControlServer(owner, over.set)
    unwind.callback(server.stop)
    control_file = state_dir() / f"{registration.entry.run_id}{CONTROL}"
    unwind.callback(control_file.unlink, missing_ok=True)
    unwind.callback(_deaf)  # first of all: what follows takes seconds, and would leave processes
    return owner, server, control_file


def _deaf() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _log_to(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())


def _tell(said: dict[str, object]) -> None:
    """Tell `lab up`, which waits for it. When that has gone, nobody would know of this stack: it is not kept."""
    try:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except BrokenPipeError as error:
        raise KeyboardInterrupt from error


if __name__ == "__main__":
    try:
        code = main()
    except Exception:
        traceback.print_exc()
        code = 3
    sys.exit(code)
