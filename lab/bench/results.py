"""What a benchmark measured, and its file: a baseline for later ones. The schema is `lab schema bench`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lab.bench.figures import BY_NAME
from lab.bench.machine import Machine
from lab.errors import UsageError

FORMAT = 1
MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Settings:
    """What figures must have in common to be compared at all. `users` None: the scenario's."""

    runtime: str
    speed: float
    users: int | None = None


@dataclass(frozen=True)
class BenchRun:
    """One run that passed: its seed and its figures, each in its unit."""

    seed: int
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Benchmark:
    """Repeated runs of some scenarios on one machine; `runs` by the scenario's label."""

    machine: Machine
    software: Mapping[str, str]
    settings: Settings
    runs: Mapping[str, tuple[BenchRun, ...]] = field(default_factory=dict)

    def with_run(self, label: str, run: BenchRun) -> Benchmark:
        """The same with one run more."""
        return replace(self, runs={**self.runs, label: (*self.runs.get(label, ()), run)})

    def only(self, labels: tuple[str, ...]) -> Benchmark:
        """The same with these scenarios only; all, where none is named."""
        return replace(self, runs={k: v for k, v in self.runs.items() if not labels or k in labels})

    def values(self, label: str, figure: str) -> list[float]:
        """A figure's values over the runs of a scenario."""
        return [run.figures[figure] for run in self.runs.get(label, ()) if figure in run.figures]

    def differences(self, other: Benchmark) -> tuple[str, ...]:
        """Why runs of the other would be no more of the same series: another machine, software or options."""
        earlier, later = ({**one.software, **asdict(one.settings)} for one in (self, other))
        names = [name for name in {**earlier, **later} if earlier.get(name) != later.get(name)]
        changed = [f"{name}: {earlier.get(name)}, now {later.get(name)}" for name in names]
        return (*self.machine.differences(other.machine), *changed)

    @property
    def labels(self) -> tuple[str, ...]:
        """The scenarios of which anything was measured."""
        return tuple(dict.fromkeys(label for label, _ in self.measured()))

    def measured(self) -> list[tuple[str, str]]:
        """(label, figure) of everything that has values, in the order of the tables."""
        return [(label, name) for label in self.runs for name in BY_NAME if self.values(label, name)]


def save(found: Benchmark, path: Path) -> None:
    """Write it so that the file is whole at any moment. Raises `UsageError` when it can't be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        target = path.resolve()  # a link stays one
        beside.write_text(json.dumps({"format": FORMAT, **asdict(found)}, indent=1) + "\n", encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise UsageError(f"{path}: {error.strerror or error}; give a file that can be written") from error


def load(path: Path) -> Benchmark:
    """Read a file of `lab bench --save`. Raises `UsageError` in one line on anything else."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; make one with `lab bench --save {path}`") from error
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path}: more than {MAX_BYTES >> 20} MiB; give a file of `lab bench --save`")
    try:
        return _parse(json.loads(raw))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(f"{path}: not a file of `lab bench --save`: {_in_words(error)}") from error


def _in_words(error: Exception) -> str:
    """What is wrong with a file, and the remedy."""
    remedy = "give a file that `lab bench --save` wrote"
    if isinstance(error, _OtherFormatError):
        return f"{error}; use the lab that wrote it"
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}; {remedy}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"it is no JSON that can be read ({error}); {remedy}"
    return f"{error}; {remedy}"


class _OtherFormatError(ValueError):
    """A file of another version of the lab."""


def _parse(raw: object) -> Benchmark:
    found = _object(raw, "it")
    if found["format"] != FORMAT:
        raise _OtherFormatError(f"its format is {found['format']!r} and not {FORMAT}")
    machine, settings = _object(found["machine"], "machine"), _object(found["settings"], "settings")
    users = settings["users"]
    return Benchmark(
        machine=Machine(
            str(machine["cpu"]), int(machine["cores"]), int(machine["memory_mib"]), str(machine["architecture"])
        ),
        software={str(k): str(v) for k, v in _object(found["software"], "software").items()},
        settings=Settings(str(settings["runtime"]), float(settings["speed"]), None if users is None else int(users)),
        runs={str(label): _runs(label, runs) for label, runs in _object(found["runs"], "runs").items()},
    )


def _object(found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"{what} is no JSON object")
    return found


def _runs(label: str, found: object) -> tuple[BenchRun, ...]:
    if not isinstance(found, list):
        raise ValueError(f"the runs of {label} are no list")
    return tuple(_run(_object(run, f"a run of {label}")) for run in found)


def _run(found: Mapping[str, Any]) -> BenchRun:
    figures = {str(name): float(value) for name, value in _object(found["figures"], "figures").items()}
    if not all(map(math.isfinite, figures.values())):
        raise ValueError("a figure is not finite")
    return BenchRun(int(found["seed"]), figures)
