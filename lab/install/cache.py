"""Where installed servers live, and how two installs at once leave each other alone.

<cache>/servers/<server>/   the programs of one server; appears whole, by a rename
<cache>/incoming-*/         work in progress of the install that holds the lock
<cache>/lock                held with flock for the length of an install
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError, UsageError

LOCK_WAIT_S = 900.0
_LOCK_POLL_S = 0.2
_INCOMING = "incoming-"


def cache_dir() -> Path:
    """Return the lab's cache folder: LAB_CACHE_DIR, else the user's cache. It may not exist yet."""
    chosen = os.environ.get("LAB_CACHE_DIR")
    if chosen:
        return home_of(Path(chosen), "LAB_CACHE_DIR").absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("monitoring-failure-lab"))


def home_of(path: Path, what: str) -> Path:
    """A path with `~` and `~user` for what they stand for. Raises UsageError for a user that is not there."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{what} {path}: whose home that is, is not known; give the whole path") from None


def server_dir(server: str) -> Path:
    """Return the folder that holds the programs of `server` once it is installed."""
    return cache_dir() / "servers" / server


@contextmanager
def locked(report: Callable[[str], None], wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the cache's lock; wait at most `wait_s` seconds for another install to finish.

    The kernel releases the lock when its holder dies, so a crashed install blocks nobody. What such an
    install left half done is removed here, where nobody else can be at work. Raises LabError when the
    cache cannot be written or the other install takes too long.
    """
    root = cache_dir()
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LabError(f"cannot write to the cache {root} ({error.strerror}): set LAB_CACHE_DIR") from error
    try:
        _acquire(handle, root, report, time.monotonic() + wait_s)
        _sweep(root)
        yield
    finally:
        os.close(handle)  # releases the lock


@contextmanager
def incoming() -> Iterator[Path]:
    """Yield an empty folder on the cache's file system; it is gone afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=cache_dir()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def adopt(folder: Path, server: str) -> Path:
    """Make `folder` (inside an incoming one) the installed `server`, replacing an older one; return where."""
    final = server_dir(server)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        final.rename(folder.with_name(f"{folder.name}.replaced"))  # removed with the incoming folder
    folder.rename(final)
    return final


def _acquire(handle: int, root: Path, report: Callable[[str], None], deadline: float) -> None:
    """Take the lock or raise LabError at `deadline` (monotonic seconds)."""
    waiting = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LabError(f"another `lab install` has held {root / 'lock'} for too long") from None
        if not waiting:
            report("another `lab install` is at work; waiting for it")
            waiting = True
        time.sleep(_LOCK_POLL_S)


def _sweep(root: Path) -> None:
    """Remove what an install that was killed left behind. Only under the lock."""
    for leftover in root.glob(f"{_INCOMING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
