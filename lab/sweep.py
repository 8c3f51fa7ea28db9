"""Sweep what dead runs left: processes by pid AND start time, temp folders. Nothing that is not ours."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.identity import Identity, identity
from lab.registry import RUN_ID, Entry, entries

TEMP_PREFIX = "lab-run-"
"""Temp folders of runs carry this prefix; a folder without it is never removed."""
GRACE_S = 3.0


@dataclass(frozen=True)
class Swept:
    """What was removed of one dead run."""

    run_id: str
    processes: int
    folders: int


def sweep(*, kept: bool = False) -> list[Swept]:
    """Remove what runs left whose lab process is gone; with `kept`, also stacks that `--keep` left up."""
    done = []
    for path, entry in entries():
        if entry.owner.alive() or (entry.kept and not kept):
            continue
        done.append(_sweep_one(entry))
        path.unlink(missing_ok=True)
    return done


def _sweep_one(entry: Entry) -> Swept:
    living = {c for c in (*entry.children, *_carrying(entry.run_id)) if c.alive()}
    end(living)
    folders = [Path(f) for f in entry.folders if _is_ours(Path(f))]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return Swept(entry.run_id, len(living), len(folders))


def _is_ours(folder: Path) -> bool:
    """Only a folder that this program can have made: its name, directly in the temp folder, no link."""
    return (
        folder.name.startswith(TEMP_PREFIX)
        and folder.parent == Path(tempfile.gettempdir())
        and folder.is_dir()
        and not folder.is_symlink()
    )


def _carrying(run_id: str) -> Iterable[Identity]:
    """Processes with this run's id in their environment (Linux; of this user)."""
    wanted = f"{RUN_ID}={run_id}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            carries = wanted in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        pid = int(folder.name)
        if carries and pid != os.getpid() and (found := identity(pid)):
            yield found


def end(processes: Iterable[Identity]) -> None:
    """SIGTERM, then SIGKILL after a grace; each signal only while pid and start time still agree."""
    left = _signal(processes, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [p for p in left if p.alive()]
    _signal(left, signal.SIGKILL)


def _signal(processes: Iterable[Identity], number: signal.Signals) -> list[Identity]:
    told = []
    for process in processes:
        if not process.alive():
            continue
        try:
            os.kill(process.pid, number)
            told.append(process)
        except ProcessLookupError:
            continue
    return told
