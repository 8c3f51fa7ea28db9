"""A learner's code, run in a child process: its endless loop, exit or crash is a failed point of the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.text import one_line

DEADLINE_S = 60.0


class AnswerError(Exception):
    """The learner's code failed; the message is one line that names file and line where they are known."""


def required(folder: Path, name: str) -> Path:
    """A file of an answer. Raises `UsageError` where it is missing."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; `lab exercise NAME --start DIR` makes one to begin with")
    if not (folder / name).is_file():
        raise UsageError(f"{folder}: no {name} in it; the task says which files an answer has")
    return folder / name


def text(folder: Path, name: str) -> str:
    """The text of a file of an answer. Raises `UsageError`."""
    path = required(folder, name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def run(task: str, path: Path, given: object) -> Any:
    """What the task (see `lab.exercises.child`) makes of `given` with the code in `path`. Raises `AnswerError`."""
    with tempfile.TemporaryDirectory(prefix="lab-exercise-") as folder:
        asked, answered = Path(folder) / "asked.json", Path(folder) / "answered.json"
        asked.write_text(json.dumps(given), encoding="utf-8")
        argv = [sys.executable, "-B", "-m", "lab.exercises.child", task, str(path.resolve()), str(asked), str(answered)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE_S, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            raise AnswerError(f"{path.name}: not done after {DEADLINE_S:.0f} s") from None
        try:
            found = json.loads(answered.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"])[-1]
            raise AnswerError(f"{path.name}: ended with exit code {done.returncode}: {one_line(last)[:200]}") from None
    if "error" in found:
        raise AnswerError(one_line(str(found["error"]))[:300])
    return found["result"]
