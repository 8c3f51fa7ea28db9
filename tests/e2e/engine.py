"""What tests of the container runtime share: the engine, why it can't be used, and a way to it that can be cut."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lab.errors import LabError
from lab.images import choose, connect, startable
from lab.images.engine import address

LABEL = "lab.run"


NEEDED = "LAB_TEST_NEEDS_ENGINE"
"""Set where an engine must be there, as in CI: then a test that has none fails, and is not skipped."""


def no_containers(why: str) -> NoReturn:
    """Skip the test with the reason, or fail it where an engine was promised."""
    if os.environ.get(NEEDED):
        pytest.fail(f"{NEEDED} is set, and there are no containers: {why}")
    pytest.skip(f"no containers: {why}")


def engine() -> Any:
    """The engine with images to run; skips the test with the reason where there is none."""
    try:
        found = connect()
        lacking = startable(choose(found))
    except LabError as error:
        no_containers(str(error))
    if lacking:
        found.close()
        no_containers(f"no image {', '.join(lacking)}; `lab images build` makes them")
    return found


def of_run(docker: Any, run_id: str) -> list[str]:
    """Everything the engine lists of a run: containers, volumes, networks."""
    ours = {"label": f"{LABEL}={run_id}"}
    containers = [c.name for c in docker.containers.list(all=True, filters=ours, ignore_removed=True)]
    return containers + [v.name for v in docker.volumes.list(filters=ours)] + [
        n.name for n in docker.networks.list(filters=ours)
    ]  # fmt: skip


class Way:
    """A socket that leads to the engine until it is cut; the containers do not notice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address = f"unix://{path}"
        self._engine = address().removeprefix("unix://")
        self._connections: list[socket.socket] = []
        self._server: socket.socket | None = None
        self.open()

    def open(self) -> None:
        """Lead to the engine (again)."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.path))
        server.listen(64)
        self._server = server
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def cut(self) -> None:
        """As if the engine had gone: no connection lives, none is taken."""
        assert self._server is not None
        self._server.close()
        self.path.unlink()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._engine)
            self._connections += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=_pass, args=(a, b), daemon=True).start()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def way(tmp: Path) -> Iterator[Way]:
    """A way to the engine that a test can cut; the engine must be asked through a socket."""
    if not address().startswith("unix://"):
        pytest.skip(f"no containers: {address()} is no socket of this machine")
    made = Way(tmp / "docker.sock")
    try:
        yield made
    finally:
        with contextlib.suppress(OSError, AssertionError):
            made.cut()


def environment(tmp: Path, **more: str) -> dict[str, str]:
    """Of a lab with a register of its own."""
    return {**os.environ, "LAB_STATE_DIR": str(tmp / "state"), **more}
