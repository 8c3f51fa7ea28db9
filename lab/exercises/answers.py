"""A learner's code, run in a child process: its endless loop, exit or crash is a failed point of the answer."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.errors import UsageError
from lab.text import one_line

DEADLINE_S = 60.0
MOST_BYTES = 64 << 20
"""Of a file that the learner's code writes, what it prints among them."""


class AnswerError(Exception):
    """The learner's code failed; the message is one line that names file and line where they are known."""


def required(folder: Path, name: str) -> Path:
    """A file of an answer. Raises `UsageError` where it is missing."""
    try:
        there, has = folder.is_dir(), (folder / name).is_file()
    except OSError as error:
        raise UsageError(f"{str(folder)[:80]}: {error.strerror}; give a folder that can be read") from error
    if not there:
        raise UsageError(f"{folder}: no such folder; `lab exercise NAME --start DIR` makes one to begin with")
    if not has:
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
        said = Path(folder) / "said"
        code = _child(argv, environment, said, path.name)
        try:
            found = json.loads(answered.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            last = (_end_of(said).strip().splitlines() or ["nothing"])[-1]
            raise AnswerError(f"{path.name}: ended with exit code {code}: {one_line(last)[:200]}") from None
    if "error" in found:
        raise AnswerError(one_line(str(found["error"]))[:300])
    return found["result"]


def _child(argv: list[str], environment: dict[str, str], said: Path, name: str) -> int:
    """Run it; its exit code. What it prints is bounded, what it has started is ended with it. Raises `AnswerError`."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))

    with said.open("wb") as errors:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment,
            start_new_session=True, preexec_fn=bounded,
        )  # fmt: skip
    try:
        return child.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        raise AnswerError(f"{name}: not done after {DEADLINE_S:.0f} s") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _end_of(said: Path) -> str:
    with said.open("rb") as file:
        file.seek(max(0, said.stat().st_size - 4096))
        return file.read().decode("utf-8", "replace")
