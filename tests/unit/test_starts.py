"""What starts while a run ends is known and stopped, or is not started."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from requests.exceptions import ReadTimeout
from waiting import until

from lab.errors import StartError
from lab.identity import identity
from lab.registry import Registration, entries
from lab.runtime import volume
from lab.runtime.docker import DockerRuntime
from lab.runtime.native import NativeRuntime
from lab.runtime.protocol import ServiceSpec, VolumeSpec
from lab.runtime.starts import Starts

RUN = f"starts-{uuid.uuid4().hex}"
SPEC = ServiceSpec("one", (sys.executable, "-c", "import signal; signal.pause()"), "/", "http")


@pytest.fixture
def runtime(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NativeRuntime]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "run").mkdir()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    found = NativeRuntime(RUN, tmp_path / "run", Registration(RUN, tmp_path / "run"))
    yield found
    found.close()
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every child that is made is followed by Ctrl-C at once; their pids."""
    made, real = [], subprocess.Popen

    def popen(*args: Any, **more: Any) -> Any:
        child = real(*args, **more)
        made.append(child.pid)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(subprocess, "Popen", popen)
    return made


@pytest.mark.parametrize("start", [
    lambda runtime: runtime.start(SPEC),
    lambda runtime: runtime.data_dir(VolumeSpec("disk", 8)),
])  # fmt: skip
def test_a_child_that_an_interrupt_meets_is_stopped_with_the_others(
    runtime: NativeRuntime, interrupted: list[int], start: Callable[[NativeRuntime], object]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        start(runtime)
    (pid,) = interrupted
    assert identity(pid) is not None, "it was started"
    runtime.close()
    assert identity(pid) is None


def test_nothing_is_started_once_the_run_is_over(runtime: NativeRuntime, interrupted: list[int]) -> None:
    runtime.close()
    with ThreadPoolExecutor(1) as pool:  # as the stack does it
        for late in (
            pool.submit(runtime.start, SPEC),
            pool.submit(runtime.data_dir, VolumeSpec("one", 8)),
            pool.submit(runtime.replace_volume, VolumeSpec("one", 8)),
        ):
            with pytest.raises(StartError, match=r"^one is not started: the run is over$"):
                late.result()
    assert interrupted == []


def test_what_is_being_started_is_waited_for_and_stopped(
    runtime: NativeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    making, goes_on, real = threading.Event(), threading.Event(), subprocess.Popen

    def popen(*args: Any, **more: Any) -> Any:
        making.set()
        assert goes_on.wait(5)
        return real(*args, **more)

    monkeypatch.setattr(subprocess, "Popen", popen)
    with ThreadPoolExecutor(2) as pool:
        start = pool.submit(runtime.start, SPEC)
        assert making.wait(5)
        closing = pool.submit(runtime.close)
        until(lambda: runtime._starts._over, 5, "it is being closed")
        assert not closing.done()
        goes_on.set()
        child = start.result(5)
        closing.result(5)
    assert child.exit_code() is not None
    assert [entry.children for _, entry in entries()] == [[]]


def test_a_start_that_fails_is_not_waited_for() -> None:
    starts = Starts()
    with pytest.raises(OSError, match="no"), starts.one("a service"):
        raise OSError("no")
    starts.close()


def test_a_volume_whose_holder_does_not_mount_leaves_no_process(
    runtime: NativeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "_HOLD", "echo not here; exec sleep 2147483647")
    with pytest.raises(StartError, match="not here"):
        runtime.data_dir(VolumeSpec("disk", 8))
    runtime.close()
    assert [entry.children for _, entry in entries()] == [[]]


def test_one_that_two_stop_at_a_time_is_stopped_once(runtime: NativeRuntime) -> None:
    child = runtime.start(SPEC)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(runtime.stop, child) for _ in range(2)]:
            done.result(10)
    runtime.stop(child)
    assert child.exit_code() is not None


def test_a_child_that_cannot_be_written_down_is_stopped_with_the_others(
    runtime: NativeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = [], subprocess.Popen

    def popen(*args: Any, **more: Any) -> Any:
        made.append(real(*args, **more))
        return made[0]

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(runtime.registration, "add_child", full)
    with pytest.raises(OSError, match="No space"):
        runtime.start(SPEC)
    runtime.close()
    assert made[0].poll() is not None


def test_a_folder_that_stays_is_removed_by_the_next_sweep(
    runtime: NativeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as still_written:
        still_written.setattr(shutil, "rmtree", lambda *_, **__: None)
        runtime.close()
    runtime.registration.remove()
    assert [entry.folders for _, entry in entries()] == [[str(runtime.temp)]]


class Engine:
    """An engine that makes the container, and does not say so in time."""

    @property
    def containers(self) -> Engine:
        return self

    def create(self, **_: object) -> None:
        raise ReadTimeout("Read timed out.")


def test_a_container_that_an_engine_makes_after_all_is_found_by_the_next_sweep(
    runtime: NativeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DockerRuntime, "__post_init__", lambda _: None)
    monkeypatch.setattr(DockerRuntime, "_options", lambda *_: {})
    contained = DockerRuntime(RUN, runtime.run_dir, runtime.registration, Engine(), {})
    with pytest.raises(StartError, match="one"):
        contained.start(SPEC)
    runtime.registration.remove()
    assert [entry.run_id for _, entry in entries()] == [RUN]
