"""A pytest plugin: a team's own repository asserts that its rules catch a failure.

    @pytest.mark.lab("NAME", detect="rules.yml")
    def test_our_rules_catch_it(lab_run):
        assert lab_run.passed, str(lab_run)

The run is a child process (`lab run`), so that pytest's own process stays as it is. Imported in every pytest session of
an environment that has the lab: nothing but pytest and the standard library here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LAB: tuple[str, ...] = (sys.executable, "-P", "-m", "lab")
"""Without the current folder in front: a repository may have a `lab` of its own."""
TRIES = 3
"""How often a run is made at most: one that could not be measured (exit 3) is repeated, no other ever is."""
STOP_S = 60.0
"""Seconds that an interrupted run is given to stop its services."""
_INCONCLUSIVE = 3
_REFUSED = ("json", "keep", "dry_run", "all_variants")
_MARKER = "lab(target, *, tries=3, **options): the run of `lab run` that the fixture lab_run stands for"


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass."""

    phase: str
    name: str
    expected: str
    observed: str
    reason: str

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.phase}: {self.name}: expected {self.expected}, observed {self.observed}{why}"


@dataclass(frozen=True)
class LabRun:
    """What a run came to; delays in real seconds, None where it did not get that far."""

    label: str
    passed: bool
    reason: str
    failed: tuple[FailedCheck, ...]
    own_alerts: tuple[str, ...]
    """The alerts that should see the failure: with `detect`, all of that file."""
    delivered: tuple[str, ...]
    """Alerts that somebody was told of."""
    time_to_detect_s: float | None
    time_to_recover_s: float | None
    run_dir: Path

    @property
    def detected(self) -> bool:
        """Whether one of its own alerts reached the receiver while the failure was live."""
        return self.time_to_detect_s is not None

    def __repr__(self) -> str:
        said = "; ".join(map(str, self.failed)) or self.reason or "pass"
        return f"<lab run {self.label}: {said}; evidence in {self.run_dir}>"

    def __str__(self) -> str:
        """What a failed assertion should say: every failed check on a line of its own, and where the evidence is."""
        said = [*map(str, self.failed)] or [self.reason or "pass"]
        return "\n  ".join([f"lab run {self.label}:", *said, f"evidence in {self.run_dir}"])


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_RUNS] = {}


@pytest.fixture
def lab_run(request: pytest.FixtureRequest) -> LabRun:
    """The run that the test's marker `lab` asks for; one run serves all tests of a session that ask for the same.

    A run that stays inconclusive, or that is refused, is an error of the fixture: neither a pass nor a failure.
    """
    marker = request.node.get_closest_marker("lab")
    if marker is None or len(marker.args) != 1:
        raise pytest.UsageError(f'{request.node.nodeid}: lab_run needs @pytest.mark.lab("NAME", ...)')
    options = dict(marker.kwargs)
    tries = int(options.pop("tries", TRIES))
    command = _arguments(str(marker.args[0]), options)
    runs = request.config.stash[_RUNS]
    if command not in runs:
        runs[command] = _run(command, request.config.rootpath, tries)
    return runs[command]


_RUNS = pytest.StashKey[dict[tuple[str, ...], LabRun]]()


def _arguments(target: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Options of `lab run` by their long names. Paths are those of pytest's root folder, where the run is made."""
    wrong = [name for name in options if name in _REFUSED] or ([target] if target in ("all", "all-service") else [])
    if wrong:
        raise pytest.UsageError(f"@pytest.mark.lab: {wrong[0]}: a test has one run, which ends with it")
    given = [target]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            given.append(flag)
        elif value is not None and value is not False:
            values = value if isinstance(value, list | tuple) else (value,)  # an option that is given several times
            given += [part for one in values for part in (flag, str(one))]
    return tuple(given)


def _run(arguments: tuple[str, ...], folder: Path, tries: int) -> LabRun:
    with tempfile.TemporaryDirectory(prefix="lab-pytest-") as temporary:
        answer = Path(temporary) / "outcome.json"
        for _ in range(max(1, tries)):
            code, told = _child([*LAB, "run", *arguments, "--json", str(answer)], folder)
            if code != _INCONCLUSIVE:
                break
        if code not in (0, 1) or not answer.is_file():
            why = "inconclusive, which says nothing of the rules" if code == _INCONCLUSIVE else f"exit code {code}"
            pytest.fail(f"lab run {' '.join(arguments)}: {why}\n{told}", pytrace=False)
        return _read(json.loads(answer.read_text(encoding="utf-8")))


def _child(command: list[str], folder: Path) -> tuple[int, str]:
    """Exit code and the last lines of the story, which is told on as it comes."""
    last: deque[str] = deque(maxlen=12)
    child = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    assert child.stderr is not None
    try:
        for line in child.stderr:
            sys.stderr.write(line)
            last.append(line)
        return child.wait(), "".join(last)
    except BaseException:  # an interrupt, a timeout of the test: the run stops its services first
        child.terminate()
        child.communicate(timeout=STOP_S)
        raise


def _read(found: Mapping[str, Any]) -> LabRun:
    name, variant = found["scenario"], found["variant"]
    failed = [
        FailedCheck(phase["name"], check["name"], check["expected"], check["observed"], check["reason"])
        for phase in found["phases"]
        for check in phase["checks"]
        if check["result"] == "fail"
    ]
    return LabRun(
        label=name if variant == "default" else f"{name}:{variant}",
        passed=found["verdict"] == "pass",
        reason=found["reason"],
        failed=tuple(failed),
        own_alerts=tuple(found["alerts"]["own"]),
        delivered=tuple(found["alerts"]["delivered"]),
        time_to_detect_s=found["time_to_detect_s"],
        time_to_recover_s=found["time_to_recover_s"],
        run_dir=Path(found["run_dir"]),
    )
