"""The journal: append-only JSONL of a header, samples and events. Flushed as written, survives a crash."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from lab.errors import UsageError
from lab.events import Event, Unmeasured, from_record, to_record
from lab.history import History, Sample
from lab.scale import QUICK
from lab.wellformed import require

FORMAT = 2
"""Version of the file's format. 2: deadlines count from the live deployment (1: from the start of the phase)."""
READABLE = (1, FORMAT)
"""Formats that are still read; a reader refuses what it does not know."""


@dataclass(frozen=True)
class Header:
    """What a run was, so that it can be judged again without servers."""

    scenario: str
    variant: str
    control: bool
    runtime: str
    seed: int
    speed: float
    strict: bool
    own_alerts: tuple[str, ...]
    watched_alerts: tuple[str, ...]
    foreign_rules: bool
    pipeline_budget_s: float
    evaluation_interval_s: float
    versions: Mapping[str, str] = field(default_factory=dict)
    users: int = 0
    shape: str = "steady"
    scale: str = QUICK
    started_at: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)
    """Of metrics and jobs in a learner's answer: ours to theirs."""
    format: int = FORMAT

    @property
    def label(self) -> str:
        """The run as `lab run` takes it: `name`, `name:variant`, with `--scale` and `--control` where it had them."""
        name = self.scenario if self.variant == "default" else f"{self.scenario}:{self.variant}"
        scale = f" --scale {self.scale}" if self.scale != QUICK else ""
        return f"{name}{scale}{' --control' if self.control else ''}"


class Journal:
    """Writes a run down line by line and keeps the same as a `History` in memory. Thread-safe.

    When it can't be written (the disk is full), the run is inconclusive from there.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.header = header
        self.history = History()
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._broken = False
        self._file: IO[str] = path.open("x", encoding="utf-8")
        self._write({"type": "run", **asdict(header)})

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record, separators=(",", ":"), ensure_ascii=True) + "\n")
        self._file.flush()

    def record(self, entry: Sample | Event) -> None:
        """Append a sample or an event to the file and to the history; a no-op once closed."""
        with self._lock:
            if self._file.closed:
                return
            if isinstance(entry, Sample):
                entry = Sample(round(entry.t, 3), entry.values)  # in memory just what a reader will find
                entry = _set_back(entry, self.history) or entry
            self.history.add(entry)
            try:
                self._write(_to_record(entry))
            except OSError as error:
                self._give_up(error)
        if isinstance(entry, Sample):
            self._news.set()

    def await_sample(self, timeout_s: float) -> None:
        """Wait until a sample has come since the last call, at most `timeout_s`. For one thread: who judges the run."""
        self._news.wait(timeout_s)
        self._news.clear()

    def _give_up(self, error: OSError) -> None:
        if not self._broken:
            self._broken = True
            self.history.add(Unmeasured(time.time(), f"the journal can not be written: {error.strerror or error}"))

    def snapshot(self) -> History:
        """A copy of what is known now, safe to judge while the sampler goes on."""
        with self._lock:
            return History(list(self.history.samples), list(self.history.events))

    def close(self) -> None:
        """Put everything on disk."""
        with self._lock:
            if self._file.closed:
                return
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                self._give_up(error)
            with suppress(OSError):
                self._file.close()


@dataclass(frozen=True)
class Recording:
    """A journal read back; `damaged` says where and how it stops making sense, if it does."""

    header: Header | None
    history: History
    damaged: str = ""


def read(path: Path) -> Recording:
    """Read a journal. An empty file has no header; a torn last line is reported, not an error.

    Raises `UsageError` when the file is missing, is no journal, or is of a newer format.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and not path.parent.exists()
        what = f"{path.parent}: no such folder" if missing else f"{path}: {error.strerror or error}"
        raise UsageError(f"{what}; give the folder of a run (`lab run` prints it)") from error
    history, header, damaged = History(), None, ""
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if number == 1:
                header = _header(record, path)
            else:
                entry = _entry(record)
                if isinstance(entry, Sample) and _set_back(entry, history):
                    raise ValueError("a sample before the one before it")
                history.add(entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            if number == 1:
                raise UsageError(f"{path}:1: not a journal of the lab: {error}") from error
            damaged = f"line {number} of {len(lines)}: {type(error).__name__}"
            break
    return Recording(header, history, damaged)


def _set_back(sample: Sample, history: History) -> Unmeasured | None:
    """What to say in place of a sample from before the last: samples are searched by time, delays are differences."""
    if not history.samples or sample.t >= history.samples[-1].t:
        return None
    back = history.samples[-1].t - sample.t
    return Unmeasured(history.samples[-1].t, f"the clock of this machine was set back by {back:.1f} s")


def _header(record: Mapping[str, Any], path: Path) -> Header:
    if record.get("type") != "run":
        raise ValueError("the first line is no run header")
    if record.get("format") not in READABLE:
        raise UsageError(f"{path}: format {record.get('format')} is not {FORMAT} or older; use the lab that wrote it")
    known = {k: record[k] for k in Header.__dataclass_fields__ if k in record}
    for name in ("own_alerts", "watched_alerts"):
        known[name] = tuple(known[name])
    require(Header, known)
    found = Header(**known)
    if not (1 <= found.speed < math.inf and all(map(math.isfinite, (found.started_at, found.pipeline_budget_s)))):
        raise ValueError(f"speed {found.speed:g}, begun at {found.started_at:g}")
    return found


def _to_record(entry: Sample | Event) -> dict[str, Any]:
    if isinstance(entry, Sample):
        return {"type": "sample", "t": entry.t, "values": dict(entry.values)}
    return to_record(entry)


def _entry(record: Mapping[str, Any]) -> Sample | Event:
    if not math.isfinite(float(record["t"])):
        raise ValueError("no moment")
    if record["type"] == "sample":
        values = record["values"]
        if not set(map(type, values.values())) <= {float}:  # as the lab writes them, nothing has to be done
            values = {name: float(value) for name, value in values.items()}
        return Sample(float(record["t"]), values)
    return from_record(record)
