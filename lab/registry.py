"""The register of runs: what each has started, written before it matters, so that a dead run can be swept.

One small JSON file a run in the user's state folder. A child also carries `LAB_RUN_ID` in its
environment, which covers the moment between its start and its entry here.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab.errors import LabError
from lab.identity import Identity, me

RUN_ID = "LAB_RUN_ID"
CONTROL = ".control"
"""Suffix of the file beside an entry by which the commands reach a stack that stays up."""


def state_dir() -> Path:
    """Where runs are registered: `LAB_STATE_DIR`, else the user's state folder."""
    chosen = os.environ.get("LAB_STATE_DIR")
    if chosen:
        return Path(chosen)
    from platformdirs import user_state_path

    return user_state_path("monitoring-failure-lab") / "runs"


@dataclass
class Entry:
    """What a run has to answer for."""

    run_id: str
    owner: Identity
    run_dir: str
    kept: bool = False
    children: list[Identity] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    engine: str = ""
    """The Docker engine's address, where the run has containers: they carry its id as a label."""


class Registration:
    """This run's entry; every change is on disk before the call returns. Thread-safe."""

    def __init__(self, run_id: str, run_dir: Path) -> None:
        self.entry = Entry(run_id, me(), str(run_dir))
        self._path = state_dir() / f"{run_id}.json"
        self._lock = threading.Lock()
        self._stays = False
        try:
            self._save()
        except OSError as error:
            raise LabError(f"{self._path.parent}: {error.strerror}; set LAB_STATE_DIR to a folder for it") from error

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)  # also where somebody has removed it meanwhile
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self.entry)), encoding="utf-8")
        temporary.replace(self._path)

    def add_child(self, child: Identity) -> None:
        """A process that this run has started."""
        with self._lock:
            self.entry.children.append(child)
            self._save()

    def drop_child(self, child: Identity) -> None:
        """A process of this run that has ended.

        That this can't be written down must not keep the others from being ended: a sweep asks who is alive.
        """
        with self._lock, suppress(OSError):
            if child in self.entry.children:
                self.entry.children.remove(child)
                self._save()

    def add_folder(self, folder: Path) -> None:
        """A temporary folder of this run, outside its run folder."""
        with self._lock:
            self.entry.folders.append(str(folder))
            self._save()

    def on_engine(self, address: str) -> None:
        """This run has containers at an engine."""
        with self._lock:
            self.entry.engine = address
            self._save()

    def left_behind(self) -> None:
        """Something could not be removed: the entry stays when the run ends, and the next command tries again."""
        self._stays = True

    def keep(self, urls: dict[str, str]) -> None:
        """Leave everything up after the lab has gone (`--keep`), until `lab clean`."""
        with self._lock:
            self.entry.kept, self.entry.urls = True, urls
            self._save()

    def remove(self) -> None:
        """Nothing is left of this run, unless `left_behind` was said."""
        if self._stays:
            return
        with self._lock:
            self._path.unlink(missing_ok=True)
            self._path.with_suffix(".tmp").unlink(missing_ok=True)  # of a disk that was full


def entries() -> Iterator[tuple[Path, Entry]]:
    """All registered runs; a file that makes no sense is passed over (and stays, as evidence)."""
    for path in sorted(state_dir().glob("*.json")):
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            raw["owner"] = Identity(**raw["owner"])
            raw["children"] = [Identity(**child) for child in raw["children"]]
            yield path, Entry(**raw)
        except (OSError, ValueError, TypeError, KeyError):
            continue
