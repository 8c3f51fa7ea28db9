"""The register of runs and the sweep, with real processes: what is ours goes, everything else stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from lab import sweep as sweeping
from lab.errors import LabError
from lab.identity import Identity, identity, me
from lab.registry import CONTROL, RUN_ID, Registration, entries
from lab.sweep import TEMP_PREFIX, sweep

ANSWERS = "import signal, sys; print('up', flush=True); signal.pause()"
DEAF = ANSWERS.replace("print", "signal.signal(signal.SIGTERM, signal.SIG_IGN); print")
RUN = f"test-{uuid.uuid4().hex}"
"""A run's id that no other test on this machine has: a sweep finds its processes by it."""
GONE = {"pid": 2**22 - 1, "start": "long:ago"}
"""A process that is no more."""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Start a process that waits for a signal; it is up when this returns."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str = ANSWERS, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, **env}
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def entry(state: Path) -> Callable[..., Path]:
    """Write an entry of a run; dead, if not said otherwise."""

    def write(run_id: str = RUN, **more: Any) -> Path:
        state.mkdir(exist_ok=True)
        path = state / f"{run_id}.json"
        path.write_text(json.dumps({"run_id": run_id, "owner": GONE, "run_dir": "/x", "children": [], **more}))
        return path

    return write


def who(process: subprocess.Popen[str]) -> dict[str, Any]:
    found = identity(process.pid)
    assert found is not None
    return vars(found)


def ended(process: subprocess.Popen[str]) -> bool:
    """Whether it has ended; a signal sent is not yet an end."""
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_a_dead_runs_child_is_ended(start: Start, entry: Callable[..., Path]) -> None:
    child = start()
    path = entry(children=[who(child)])
    (swept,) = sweep()
    assert (swept.run_id, swept.processes) == (RUN, 1)
    assert child.wait(5) == -signal.SIGTERM
    assert not path.exists()


def test_one_that_is_deaf_is_killed_and_gone_when_it_returns(
    start: Start, entry: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "GRACE_S", 1.0)
    child = start(DEAF)
    entry(children=[who(child)])
    sweep()
    assert identity(child.pid) is None
    assert child.wait(5) == -signal.SIGKILL


def test_one_that_does_not_end_is_tried_again(
    start: Start, entry: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = entry(children=[who(start())])
    with monkeypatch.context() as broken:
        broken.setattr(sweeping, "GRACE_S", 0.05)
        broken.setattr(sweeping.os, "kill", lambda *_: None)
        sweep()
    assert path.exists()
    sweep()
    assert not path.exists()


def test_a_recycled_pid_is_left_alone(start: Start, entry: Callable[..., Path]) -> None:
    stranger = start()
    entry(children=[{"pid": stranger.pid, "start": "long:ago"}])
    assert sweep()[0].processes == 0
    assert not ended(stranger)


def test_an_owner_whose_pid_was_recycled_is_dead(start: Start, entry: Callable[..., Path]) -> None:
    stranger, child = start(), start()
    entry(owner={"pid": stranger.pid, "start": "long:ago"}, children=[who(child)])
    sweep()
    assert ended(child)
    assert not ended(stranger)


def test_a_live_run_is_left_alone(start: Start, entry: Callable[..., Path]) -> None:
    owner, child = start(), start(**{RUN_ID: RUN})
    path = entry(owner=who(owner), children=[who(child)])
    assert sweep(kept=True) == []
    assert not ended(child)
    assert path.exists()


def test_a_kept_stack_goes_only_when_asked(start: Start, entry: Callable[..., Path]) -> None:
    child = start()
    path = entry(children=[who(child)], kept=True)
    assert sweep() == []
    assert not ended(child)
    assert path.exists()
    assert len(sweep(kept=True)) == 1
    assert ended(child)
    assert not path.exists()


def test_a_child_that_was_not_yet_registered_is_known_by_its_environment(
    start: Start, entry: Callable[..., Path]
) -> None:
    child, of_another, without = start(**{RUN_ID: RUN}), start(**{RUN_ID: f"{RUN}y"}), start()
    entry()
    assert sweep()[0].processes == 1
    assert ended(child)
    assert not ended(of_another)
    assert not ended(without)


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """A folder in which temp folders of runs lie."""
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def filled(path: Path) -> Path:
    path.mkdir()
    (path / "data").write_text("x")
    return path


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_runs_temp_folder_goes_wherever_tmpdir_points_now(
    elsewhere: bool, temp: Path, entry: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere" if elsewhere else str(temp))
    folder = filled(temp / f"{TEMP_PREFIX}{RUN}")
    path = entry(folders=[str(folder)])
    assert sweep()[0].folders == 1
    assert not folder.exists()
    assert not path.exists()


@pytest.mark.parametrize("name", ["data", f"{TEMP_PREFIX}other", f"{TEMP_PREFIX}", "x"])
def test_a_folder_that_is_not_the_runs_stays(name: str, temp: Path, entry: Callable[..., Path]) -> None:
    folder = filled(temp / name)
    entry(folders=[str(folder), str(temp)])
    assert sweep()[0].folders == 0
    assert (folder / "data").is_file()


def test_a_link_is_not_followed(temp: Path, entry: Callable[..., Path]) -> None:
    precious = filled(temp / "precious")
    link = temp / f"{TEMP_PREFIX}{RUN}"
    link.symlink_to(precious)
    entry(folders=[str(link)])
    assert sweep()[0].folders == 0
    assert (precious / "data").is_file()


def test_a_link_inside_the_folder_is_not_followed(temp: Path, entry: Callable[..., Path]) -> None:
    precious = filled(temp / "precious")
    folder = filled(temp / f"{TEMP_PREFIX}{RUN}")
    (folder / "link").symlink_to(precious)
    entry(folders=[str(folder)])
    sweep()
    assert not folder.exists()
    assert (precious / "data").is_file()


def test_what_could_not_be_removed_is_tried_again(
    temp: Path, entry: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = filled(temp / f"{TEMP_PREFIX}{RUN}")
    path = entry(folders=[str(folder)])
    with monkeypatch.context() as broken:
        broken.setattr(sweeping.shutil, "rmtree", lambda *_, **__: None)
        sweep()
    assert path.exists()
    sweep()
    assert not folder.exists()
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"run_id":"x","owner":3}', '{"run_id":"x","owner":{}}'])
def test_an_entry_without_sense_is_passed_over_and_stays(
    text: str, state: Path, start: Start, entry: Callable[..., Path]
) -> None:
    child = start()
    entry("y", children=[who(child)])
    (state / "a.json").write_text(text)
    assert [s.run_id for s in sweep()] == ["y"]
    assert (state / "a.json").exists()
    assert ended(child)


def test_without_a_register_there_is_nothing_to_sweep(state: Path) -> None:
    assert sweep(kept=True) == []
    assert not state.exists()


# Registration


def test_every_change_is_on_disk_at_once(state: Path, tmp_path: Path) -> None:
    registration = Registration("x", tmp_path)
    child = Identity(1, "a")

    def stored() -> dict[str, Any]:
        ((_, found),) = entries()
        return vars(found)

    assert stored()["owner"] == me()
    registration.add_child(child)
    assert stored()["children"] == [child]
    registration.add_folder(tmp_path)
    assert stored()["folders"] == [str(tmp_path)]
    registration.drop_child(child)
    assert stored()["children"] == []
    registration.keep({"rag": "http://x/"})
    assert (stored()["kept"], stored()["urls"]) == (True, {"rag": "http://x/"})
    registration.remove()
    assert list(entries()) == []
    assert list(state.iterdir()) == []


def test_a_register_that_can_not_be_written_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(LabError, match="LAB_STATE_DIR"):
        Registration("x", tmp_path)


def test_a_process_is_itself_as_long_as_it_lives(start: Start) -> None:
    process = start()
    found = identity(process.pid)
    assert found is not None
    assert found.alive()
    process.kill()
    stat = Path(f"/proc/{process.pid}/stat")
    until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", 5, "it is a zombie")
    assert not found.alive(), "a zombie"
    process.wait()
    assert not found.alive()
    assert identity(process.pid) is None


def test_the_way_to_a_dead_stack_goes_with_it(entry: Callable[..., Path], state: Path) -> None:
    path = entry()
    way = path.with_suffix(CONTROL)
    of_another = state / f"other{CONTROL}"
    half_written = [path.with_suffix(".tmp"), path.with_suffix(f"{CONTROL}.tmp")]
    for file in (way, of_another, *half_written):
        file.write_text("{}")
    sweep()
    assert not any(file.exists() for file in (way, *half_written))
    assert of_another.exists()


def test_a_state_folder_that_is_removed_meanwhile_is_made_anew(start: Start, state: Path, tmp_path: Path) -> None:
    registration = Registration("x", tmp_path)
    shutil.rmtree(state)
    registration.add_child(Identity(**who(start())))
    assert [path.name for path, _ in entries()] == ["x.json"]


def test_an_end_that_can_not_be_written_down_ends_nothing_else(start: Start, state: Path, tmp_path: Path) -> None:
    child = Identity(**who(start()))
    registration = Registration("x", tmp_path)
    registration.add_child(child)
    shutil.rmtree(state)
    state.touch()  # no folder can be made there
    registration.drop_child(child)
    assert registration.entry.children == []
