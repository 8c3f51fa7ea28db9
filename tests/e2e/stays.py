"""A stack that a test brings up with `lab up`, and the commands about it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab_run import LAB, of_run
from waiting import until

from lab.identity import identity

DOWN = "TargetDown"


class Stays:
    """A stack that was brought up, and the commands about it."""

    def __init__(self, tmp: Path, runtime: str = "native") -> None:
        self.tmp, self.runtime, self.run_id, self.owner = tmp, runtime, "", 0

    def lab(self, *args: str) -> tuple[int, str, str]:
        """(exit code, stdout, stderr)."""
        done = subprocess.run(
            [*LAB, *args],
            capture_output=True,
            text=True,
            timeout=90,
            cwd=self.tmp,
            env={**os.environ, "LAB_STATE_DIR": str(self.tmp / "state")},
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def up(self, *args: str) -> str:
        code, out, err = self.lab("up", "--runtime", self.runtime, *args)
        assert code == 0, err
        (entry,) = (self.tmp / "state").glob("*.json")
        found = json.loads(entry.read_text())
        self.run_id, self.owner = str(found["run_id"]), int(found["owner"]["pid"])
        return out

    def status(self) -> dict[str, Any]:
        code, out, err = self.lab("status", "--json")
        assert code == 0, err
        return dict(json.loads(out))

    def told(self, status: str) -> bool:
        """Whether the channel was told of the alert in a status."""
        return any((n["alert"], n["status"]) == (DOWN, status) for n in self.status()["notifications"])

    def gone(self) -> None:
        """Nothing of it is left: no process, no temp folder, no mount, no file in the state folder."""
        until(lambda: not of_run(self.run_id), 30, "its processes are gone")
        assert identity(self.owner) is None
        assert not (Path(tempfile.gettempdir()) / f"lab-run-{self.run_id}").exists()
        assert self.run_id not in Path("/proc/self/mounts").read_text()
        assert list((self.tmp / "state").iterdir()) == []


@contextmanager
def staying(tmp: Path, runtime: str = "native") -> Iterator[Stays]:
    """It is brought down whatever a test has done to it."""
    found = Stays(tmp, runtime)
    yield found
    found.lab("down")
    found.lab("clean")
