"""Traffic: Locust as a child process. It is never imported here: it patches the standard library.

Its exit code is no verdict (1 means failed requests and a missing file alike); its live figures are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from lab.errors import LabError, LoadError, UsageError
from lab.load_elsewhere import Elsewhere, Wanted, worker_command
from lab.load_processes import WAIT_S, Processes, master_options
from lab.runtime.protocol import Running, Runtime
from lab.scenario import Load


@dataclass(frozen=True)
class Figures:
    """What one Locust process, or a master's workers together, did in a second, at Unix time `t`."""

    t: float
    users: float
    served: float
    failed: float
    p95_s: float
    panel_served: float = 0.0
    panel_failed: float = 0.0
    panel_p95_s: float | None = None
    """None in a second without panels."""
    panel_error: str = ""
    panel_error_line: int = 0
    """Where it stands in the figures' file."""
    panel_titles: Mapping[str, float] = field(default_factory=dict)
    """Answers per second by the panel's title."""
    workers: int = 0
    """Workers that told the master of this second; 0 without a master."""


POLL_S = 0.1
SILENT_S = 3.5
"""A process that has reported nothing for so many seconds counts for nothing."""


def _mean(figures: list[Figures]) -> Figures:
    """Several reports of one process as one: rates averaged, the latest moment, the worst latency."""
    n = len(figures)
    return Figures(
        t=figures[-1].t,
        users=figures[-1].users,
        served=sum(f.served for f in figures) / n,
        failed=sum(f.failed for f in figures) / n,
        p95_s=max(f.p95_s for f in figures),
        workers=figures[-1].workers,
        **_panels(figures, n),
    )


def _panels(figures: list[Figures], share: int) -> dict[str, Any]:
    slow = [f.panel_p95_s for f in figures if f.panel_p95_s is not None]
    wrong = next((f for f in figures if f.panel_error), None)
    return {
        "panel_served": sum(f.panel_served for f in figures) / share,
        "panel_failed": sum(f.panel_failed for f in figures) / share,
        "panel_p95_s": max(slow) if slow else None,
        "panel_error": wrong.panel_error if wrong else "",
        "panel_error_line": wrong.panel_error_line if wrong else 0,
        "panel_titles": {
            title: sum(f.panel_titles.get(title, 0.0) for f in figures) / share
            for title in sorted({title for f in figures for title in f.panel_titles})
        },
    }


def require_loopback(address: str) -> None:
    """Refuse to send load anywhere but to this machine. Raises `UsageError`."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        fine = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        fine = False
    if not fine:
        raise UsageError(f"{address}: load goes to loopback addresses only; give 127.0.0.1:PORT")


def _ended(running: Running) -> bool:
    """Whether it has ended for certain; with the runtime gone nobody can tell."""
    try:
        return running.exit_code() is not None
    except LabError:
        return False


@dataclass
class Traffic:
    """The load of a run: one Locust process or more, which add up; with `workers`, so many for each, and a master."""

    runtime: Runtime
    run_dir: Path
    target: str
    seed: int
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    """Folders that a locustfile reads beside its own."""
    private: bool = False
    """The target is a name on the run's own network, which nobody else is on."""
    workers: int = 0
    elsewhere: Elsewhere | None = None
    """Who starts the `workers` where it is not this machine's business."""
    tell: Callable[[Wanted], None] = lambda _: None
    """Is told which workers are awaited elsewhere."""
    _running: dict[str, Running] = field(default_factory=dict)
    _leaders: list[str] = field(default_factory=list)
    """The processes that write figures, once their workers are there."""
    _read: dict[str, int] = field(default_factory=dict)
    _last: dict[str, Figures] = field(default_factory=dict)

    def start(self, load: Load, locustfile: Path, speed: float, *, name: str = "load") -> None:
        """Start Locust, and wait for its workers. Raises `LoadError` when it can't be started."""
        if not self.private and not (self.elsewhere and self.elsewhere.open):
            require_loopback(self.target)
        if load.users < 1:
            return
        env = {
            "LAB_USER_RATE": str(load.per_user * speed), "LAB_SEED": str(self.seed), "LAB_LOAD_SHAPE": load.shape,
            "LAB_LOAD_USERS": str(load.users), "LAB_LOAD_SPEED": str(speed), **self.env,
        }  # fmt: skip
        processes = Processes(name, locustfile, env, load.shape != "steady", self.reads)
        wait_s = self.elsewhere.wait_s if self.elsewhere else WAIT_S
        master = self._master(name) if self.workers else ""
        options = master_options(master, self.workers, wait_s) if master else ()
        self._running[name] = self.runtime.start(processes.leader(load.users, self.target, self._stats(name), options))
        if self.elsewhere:
            away = self.elsewhere.open  # what the viewers of a dashboard need is on this machine only
            told = {name: value for name, value in env.items() if not (away and name in self.env)}
            command = worker_command(master, told, here=not away)
            self.tell(Wanted(command, self.target, self.elsewhere))
        for number in range(1, 1 if self.elsewhere else self.workers + 1):
            spec = processes.worker(number, self.runtime.inside(name, "master"))
            self._running[spec.name] = self.runtime.start(spec)
        if self.workers:
            self._await_workers(name, wait_s)
        self._leaders.append(name)

    def _master(self, name: str) -> str:
        chosen = self.runtime.listen(name, "master")
        return self.elsewhere.address(chosen) if self.elsewhere else chosen

    def _await_workers(self, name: str, wait_s: float) -> None:
        """Until all are at work: what is measured from then on is the whole traffic."""
        end = time.monotonic() + wait_s
        while True:
            workers, users = self._at_work(name)
            if workers >= self.workers and users:
                return
            self.check()
            if time.monotonic() > end:
                found = f"the load generator {name} has {workers} of {self.workers} workers, {users} users"
                raise LoadError(f"{found} after {wait_s:g} s")
            time.sleep(POLL_S)

    def _at_work(self, name: str) -> tuple[int, int]:
        """Workers and users as the master last wrote; the sampler reads on elsewhere."""
        try:
            lines = self._stats(name).read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        except OSError:
            return 0, 0
        last = json.loads(lines[-1]) if lines else {"workers": 0, "users": 0}
        return int(last["workers"]), int(last["users"])

    def _stats(self, name: str) -> Path:
        return self.run_dir / "logs" / f"{name}.stats.jsonl"

    def figures(self) -> Figures | None:
        """What all processes together did in the last second; None while one of them has not reported for long."""
        for name in self._leaders:
            self._take(name)
        latest = [self._last[name] for name in self._leaders if name in self._last]
        if not latest or len(latest) < len(self._leaders) or min(f.t for f in latest) < time.time() - SILENT_S:
            return None
        return Figures(
            t=max(f.t for f in latest),
            users=sum(f.users for f in latest),
            served=sum(f.served for f in latest),
            failed=sum(f.failed for f in latest),
            p95_s=max(f.p95_s for f in latest),
            workers=sum(f.workers for f in latest),
            **_panels(latest, 1),
        )

    def _take(self, name: str) -> None:
        fresh = self._fresh(name)
        if fresh:
            self._last[name] = _mean(fresh)

    def _fresh(self, name: str) -> list[Figures]:
        try:
            text = self._stats(name).read_text(encoding="utf-8")
        except OSError:
            return []
        start = self._read.get(name, 0)
        end = text.rfind("\n") + 1
        self._read[name] = end
        first = text.count("\n", 0, start) + 1
        lines = enumerate(text[start:end].splitlines(), first)
        return [Figures(**json.loads(line), panel_error_line=number) for number, line in lines]

    def check(self) -> None:
        """Raise `LoadError` when a process has ended, with its last line, or a worker does not answer any more."""
        for name, running in list(self._running.items()):  # the sampler asks, too
            code = running.exit_code()
            if code is not None:
                tail = running.log.read_text(errors="replace").strip().splitlines()[-1:]
                raise LoadError(
                    f"the load generator {name} ended with code {code}: {''.join(tail) or 'it said nothing'}"
                )
        for name, told in list(self._last.items()):
            if told.workers < self.workers:
                raise LoadError(f"the load generator {name} has lost workers: {told.workers} of {self.workers} answer")

    def stop(self) -> None:
        """Stop all processes."""
        for running in self._running.values():
            if not _ended(running):
                self.runtime.stop(running)
        for names in (self._running, self._leaders, self._last):
            names.clear()
