"""The native runtime with real children: ports kept, groups stopped, nothing left."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from lab.errors import StartError
from lab.identity import identity
from lab.registry import RUN_ID, Registration, entries
from lab.runtime.native import NativeProcess, NativeRuntime
from lab.runtime.ports import LOOPBACK, Ports
from lab.runtime.protocol import ServiceSpec, VolumeSpec

UP = "import signal, sys; print('up', flush=True); signal.pause()"
RUN = f"test-{uuid.uuid4().hex}"
DEAF = UP.replace("print", "signal.signal(signal.SIGTERM, signal.SIG_IGN); print").replace(
    "signal.pause()", "[signal.pause() for _ in iter(int, 1)]"
)
PARENT = (
    "import subprocess, sys, signal\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "print('up', child.pid, flush=True)\nsignal.pause()"
)


# Ports


@pytest.fixture
def ports() -> Iterator[Ports]:
    found = Ports()
    yield found
    found.release()


def test_a_port_is_the_same_for_the_whole_run(ports: Ports) -> None:
    a, b, c = ports.get("rag", "http"), ports.get("rag", "metrics"), ports.get("host", "http")
    assert len({a, b, c}) == 3
    assert [ports.get("rag", "http"), ports.get("rag", "metrics")] == [a, b]


def test_a_server_can_bind_it_and_bind_it_again(ports: Ports) -> None:
    port = ports.get("rag", "http")
    for _ in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((LOOPBACK, port))
            server.listen()
            with socket.create_connection((LOOPBACK, port), timeout=2) as client, server.accept()[0]:
                assert client.getpeername() == (LOOPBACK, port)


def test_nobody_else_gets_it(ports: Ports) -> None:
    held = {ports.get("rag", str(n)) for n in range(20)}
    others = []
    for _ in range(300):
        other = socket.socket()
        other.bind((LOOPBACK, 0))
        others.append(other)
    got = {other.getsockname()[1] for other in others}
    for other in others:
        other.close()
    assert not held & got


def test_without_reuse_it_is_taken_and_after_release_it_is_free(ports: Ports) -> None:
    port = ports.get("rag", "http")
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, port))
    ports.release()
    with socket.socket() as other:
        other.bind((LOOPBACK, port))


def test_only_loopback(ports: Ports) -> None:
    port = ports.get("rag", "http")
    assert ports._held["rag", "http"].getsockname() == ("127.0.0.1", port)


# Children


@pytest.fixture
def runtime(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NativeRuntime]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "run").mkdir()
    found = NativeRuntime(RUN, tmp_path / "run", Registration(RUN, tmp_path / "run"))
    yield found
    found.close()


def spec(code: str = UP, name: str = "one", **more: object) -> ServiceSpec:
    return ServiceSpec(name, (sys.executable, "-c", code), "/", "http", **more)  # type: ignore[arg-type]


def started(runtime: NativeRuntime, code: str = UP, **more: object) -> NativeProcess:
    process = runtime.start(spec(code, **more))
    until(lambda: "up" in process.log.read_text() or process.exit_code() is not None, 5, "up")
    return process


def registered() -> list[int]:
    return [child.pid for _, entry in entries() for child in entry.children]


def test_a_child_is_registered_alone_in_its_group_and_carries_the_run(runtime: NativeRuntime) -> None:
    process = started(runtime)
    assert registered() == [process.pid]
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    assert f"{RUN_ID}={RUN}".encode() in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    assert process.log == runtime.run_dir / "logs" / "one.log"
    runtime.stop(process)
    assert registered() == []
    assert process.exit_code() == -signal.SIGTERM


def test_one_that_is_deaf_is_killed_after_its_grace(runtime: NativeRuntime) -> None:
    process = started(runtime, DEAF, stop_grace_s=0.1)
    runtime.stop(process)
    assert process.exit_code() == -signal.SIGKILL


def test_one_that_may_not_take_its_grace_is_killed_after_what_it_is_given(runtime: NativeRuntime) -> None:
    process = started(runtime, DEAF, stop_grace_s=3600.0)
    stopping = threading.Thread(target=runtime.stop, args=(process, 0.1), daemon=True)
    stopping.start()
    try:
        until(lambda: process.exit_code() == -signal.SIGKILL, 5, "it is killed")
    finally:
        os.killpg(process.pid, signal.SIGKILL) if process.exit_code() is None else None
        stopping.join(5)


def test_its_children_go_with_it(runtime: NativeRuntime) -> None:
    process = started(runtime, PARENT)
    until(lambda: len(process.log.read_text().split()) > 1, 5, "the child has told its own child")
    grandchild = int(process.log.read_text().split()[1])
    runtime.stop(process)
    until(lambda: identity(grandchild) is None, 5, "the grandchild is gone")


@pytest.mark.parametrize(("code", "said"), [("raise SystemExit(3)", "exit code 3"), (
    "import os; os.kill(os.getpid(), 9)", "signal 9"
)])  # fmt: skip
def test_how_it_ended(code: str, said: str, runtime: NativeRuntime) -> None:
    process = started(runtime, code)
    assert process.how_it_ended() == said
    runtime.stop(process)


def test_what_can_not_be_started_is_named(runtime: NativeRuntime) -> None:
    with pytest.raises(StartError, match="one: /no/such: No such file"):
        runtime.start(ServiceSpec("one", ("/no/such",), "/", "http"))
    assert registered() == []


def test_a_restarted_service_goes_on_in_its_log(runtime: NativeRuntime) -> None:
    for _ in range(2):
        process = runtime.start(spec("print('up')"))
        process.popen.wait(5)
        runtime.stop(process)
    assert (runtime.run_dir / "logs" / "one.log").read_text() == "up\nup\n"


def test_closing_leaves_nothing(runtime: NativeRuntime) -> None:
    processes = [started(runtime, name=name) for name in ("one", "two")]
    (runtime.data_dir(VolumeSpec("data")) / "file").write_text("x")
    assert runtime.temp.is_dir()
    assert runtime.temp.stat().st_mode & 0o777 == 0o700
    runtime.close()
    assert [p.exit_code() for p in processes] == [-signal.SIGTERM] * 2
    assert not runtime.temp.exists()
    runtime.close()


def test_a_bounded_volume_is_full_when_it_is_full_and_gone_afterwards(runtime: NativeRuntime) -> None:
    volume = VolumeSpec("data", size_mib=1.5)
    try:
        folder = runtime.data_dir(volume)
    except StartError as error:
        pytest.skip(str(error))
    used, size = runtime.usage("data")
    assert (used < 100_000, size) == (True, int(1.5 * 2**20))
    fill = f"open({str(folder / 'x')!r}, 'wb').write(b'x' * (2 << 20))"
    process = started(runtime, f"try: {fill}\nexcept OSError as e: print('up', e, flush=True)", volume=volume)
    until(lambda: process.exit_code() is not None, 5, "it has ended")
    assert "No space left on device" in process.log.read_text()
    assert runtime.usage("data")[0] > 2**20
    assert not (folder / "x").exists(), "nobody else sees the mount"
    runtime.stop(process)
    runtime.replace_volume(VolumeSpec("data", size_mib=4))
    assert runtime.usage("data")[1] == 4 * 2**20
    assert runtime.usage("data")[0] < 100_000
    holder = runtime.holder("data")
    assert holder is not None
    assert holder[0] in registered()
    runtime.close()
    assert identity(holder[0]) is None
    assert str(folder) not in Path("/proc/self/mounts").read_text()


def test_what_is_not_bounded_has_no_usage(runtime: NativeRuntime) -> None:
    runtime.data_dir(VolumeSpec("data"))
    with pytest.raises(OSError, match="not bounded"):
        runtime.usage("data")
    assert runtime.holder("data") is None
