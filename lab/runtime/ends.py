"""How containers end: from the engine's events, and from the kernel's own count of kills in the container's cgroup.

Exit code 137 alone is no proof: anybody can send SIGKILL. The engine's state `OOMKilled` misleads both ways (false
while a killed child's parent lives, true after a later, ordinary stop). So two witnesses are asked: the event `oom`,
and the count `oom_kill` of the cgroup, read while the container lives, since its folder goes with it.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.images.engine import EngineError

LOOK_S = 0.1
"""Seconds between two looks at a limited container's cgroup."""
SETTLE_S = 0.3
"""Seconds in which the engine's two events of one death may come in either order."""
_COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


@dataclass
class Ends:
    """Listens to the engine for the containers of one run, from its creation to `close`."""

    run_id: str
    _codes: dict[str, int] = field(default_factory=dict)
    _oom: set[str] = field(default_factory=set)
    _counted: set[str] = field(default_factory=set)
    _gone: str = ""
    _closed: bool = False

    def __post_init__(self) -> None:
        from lab.images.engine import connect

        self._engine = connect()
        self._engine.api.timeout = None
        filters = {"label": f"lab.run={self.run_id}", "event": ["die", "oom"]}
        self._events = self._engine.events(decode=True, filters=filters)
        threading.Thread(target=self._listen, name="container-ends", daemon=True).start()

    def _listen(self) -> None:
        why = "it closed the connection"
        try:
            for event in self._events:
                self._take(event)
        except Exception as error:  # the SDK lets errors of three libraries through
            why = type(error).__name__
        if not self._closed:
            self._gone = f"the Docker engine is gone: {why}"

    def _take(self, event: dict[str, Any]) -> None:
        actor = event["Actor"]
        if event["Action"] == "oom":
            self._oom.add(actor["ID"])
        elif event["Action"] == "die":
            if actor["Attributes"]["exitCode"] == "137":
                time.sleep(SETTLE_S)
            self._codes[actor["ID"]] = int(actor["Attributes"]["exitCode"])

    def watch(self, container: str, pid: int, *, limited: bool) -> None:
        """Look at the cgroup of a container whose limit is part of the story."""
        files = [path for path in cgroup_files(pid) if path.exists()] if limited else []
        if files:
            threading.Thread(target=self._count, args=(container, files[0]), name="oom-count", daemon=True).start()

    def _count(self, container: str, path: Path) -> None:
        while container not in self._codes and not self._closed:
            try:
                found = _COUNT.search(path.read_text(encoding="ascii"))
            except OSError:
                return
            if found and int(found[1]):
                self._counted.add(container)
                return
            time.sleep(LOOK_S)

    def code(self, container: str) -> int | None:
        """The exit code as the engine tells it; None while it runs. Raises `EngineError` when nobody can tell."""
        code = self._codes.get(container)
        if code is None and self._gone:
            raise EngineError(self._gone)
        return code

    def out_of_memory(self, container: str) -> list[str]:
        """Who has seen the kernel kill in it: the engine, the cgroup, both or nobody."""
        engine = ["the engine's oom event"] if container in self._oom else []
        return engine + (["the cgroup's oom_kill"] if container in self._counted else [])

    def close(self) -> None:
        """Stop listening."""
        self._closed = True
        with suppress(Exception):  # a connection that is gone already
            self._events.close()
        with suppress(Exception):
            self._engine.close()


def cgroup_files(pid: int, root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> list[Path]:
    """Where the kernel counts the kills of a process' cgroup, of version 1 or 2; empty when it can't be read."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if "memory" in controllers.split(","):
            found.append(root / "memory" / inside / "memory.oom_control")
        elif number == "0" and not controllers:
            found.append(root / inside / "memory.events")
    return found
