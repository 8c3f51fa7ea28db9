"""Sweep what dead runs left: processes by pid AND start time, temp folders. Nothing that is not ours."""

from __future__ import annotations

import glob
import os
import shutil
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from lab.identity import Identity, identity
from lab.registry import RUN_ID, Entry, entries

TEMP_PREFIX = "lab-run-"
"""The temp folder of a run is called this and its id; no other folder is ever removed."""
GRACE_S = 3.0


@dataclass(frozen=True)
class Swept:
    """What was removed of one dead run."""

    run_id: str
    processes: int
    folders: int
    containers: int = 0


def sweep(*, kept: bool = False) -> list[Swept]:
    """Remove what runs left whose lab process is gone; with `kept`, also stacks that `--keep` left up."""
    done = []
    for path, entry in entries():
        if entry.owner.alive() or (entry.kept and not kept):
            continue
        swept, clean = _sweep_one(entry)
        done.append(swept)
        if clean:  # else the next command tries again
            for rest in path.parent.glob(f"{glob.escape(path.stem)}.*"):  # its control file, and one half written
                rest.unlink(missing_ok=True)
    return done


def _sweep_one(entry: Entry) -> tuple[Swept, bool]:
    """What was removed, and whether nothing is left."""
    living = {c for c in (*entry.children, *_carrying(entry.run_id)) if c.alive()}
    left = end(living)
    containers, engine_clean = _containers(entry)
    folders = [Path(f) for f in entry.folders if _is_ours(Path(f), entry.run_id)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    clean = engine_clean and not left and not any(folder.exists() for folder in folders)
    return Swept(entry.run_id, len(living), len(folders), containers), clean


def _containers(entry: Entry) -> tuple[int, bool]:
    """Containers, volumes and networks of a run by its label; an engine that is gone is asked again another time."""
    if not entry.engine:
        return 0, True
    from lab.images.engine import EngineError
    from lab.runtime.leftovers import remove_all

    try:
        return remove_all(entry.engine, entry.run_id), True
    except EngineError:
        return 0, False


def _is_ours(folder: Path, run_id: str) -> bool:
    """Only the folder that this run can have made: its name, its owner, no link. TMPDIR may have changed since."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.name == f"{TEMP_PREFIX}{run_id}" and S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


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


def end(processes: Iterable[Identity]) -> list[Identity]:
    """SIGTERM, then SIGKILL after a grace; each signal only while pid and start time still agree.

    Returns when they have ended; those that even then have not are returned.
    """
    left = _still_there(_signal(processes, signal.SIGTERM))
    return _still_there(_signal(left, signal.SIGKILL))


def _still_there(processes: list[Identity]) -> list[Identity]:
    """Those of them that are alive after the grace."""
    deadline = time.monotonic() + GRACE_S
    while (left := [p for p in processes if p.alive()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _signal(processes: Iterable[Identity], number: signal.Signals) -> list[Identity]:
    told = []
    for process in processes:
        if not process.alive():
            continue
        try:
            os.kill(process.pid, number)
            told.append(process)
        except (ProcessLookupError, PermissionError):
            continue
    return told
