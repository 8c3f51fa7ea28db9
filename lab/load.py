"""Traffic: Locust as a child process. It is never imported here: it patches the standard library.

Its exit code is no verdict (1 means failed requests and a missing file alike); its live figures are.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from lab.errors import LoadError, UsageError
from lab.runtime.protocol import Running, Runtime, ServiceSpec
from lab.scenario import Load

_LIVE = Path(__file__).parent / "loadgen" / "live.py"


@dataclass(frozen=True)
class Figures:
    """What one Locust process did in a second, at Unix time `t`."""

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


@dataclass
class Traffic:
    """The load of a run: one Locust process or more, which add up."""

    runtime: Runtime
    run_dir: Path
    target: str
    seed: int
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    """Folders that a locustfile reads beside its own."""
    private: bool = False
    """The target is a name on the run's own network, which nobody else is on."""
    _running: dict[str, Running] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)
    _last: dict[str, Figures] = field(default_factory=dict)

    def start(self, load: Load, locustfile: Path, speed: float, *, name: str = "load") -> None:
        """Start a Locust process. Raises `LoadError` when it can't be started."""
        if not self.private:
            require_loopback(self.target)
        if load.users < 1:
            return
        stats = self._stats(name)
        argv = (
            sys.executable, "-m", "locust", "-f", f"{locustfile},{_LIVE}", "--headless",
            "--users", str(load.users), "--spawn-rate", str(max(load.users, 1)),
            "--host", f"http://{self.target}", "--only-summary", "--loglevel", "WARNING",
            "--json-file", str(self._stats(name).with_suffix("")), "--stop-timeout", "1",
        )  # fmt: skip
        env = {
            "LAB_USER_RATE": str(load.per_user * speed),
            "LAB_SEED": str(self.seed),
            "LAB_LOAD_STATS": str(stats),
            **self.env,
        }
        spec = ServiceSpec(
            name, argv, ready_path="", ready_port="", env=env, stop_grace_s=4.0, like="load",
            reads=(locustfile.parent, _LIVE.parent, *self.reads), writes=(stats.parent,),
        )  # fmt: skip
        self._running[name] = self.runtime.start(spec)

    def _stats(self, name: str) -> Path:
        return self.run_dir / "logs" / f"{name}.stats.jsonl"

    def figures(self) -> Figures | None:
        """What all processes together did in the last second; None while one of them has not reported for long."""
        for name in self._running:
            fresh = self._fresh(name)
            if fresh:
                self._last[name] = _mean(fresh)
        latest = [self._last[name] for name in self._running if name in self._last]
        if not latest or len(latest) < len(self._running) or min(f.t for f in latest) < time.time() - SILENT_S:
            return None
        return Figures(
            t=max(f.t for f in latest),
            users=sum(f.users for f in latest),
            served=sum(f.served for f in latest),
            failed=sum(f.failed for f in latest),
            p95_s=max(f.p95_s for f in latest),
            **_panels(latest, 1),
        )

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
        """Raise `LoadError` when a process has ended, with its last line."""
        for name, running in self._running.items():
            code = running.exit_code()
            if code is not None:
                tail = running.log.read_text(errors="replace").strip().splitlines()[-1:]
                raise LoadError(
                    f"the load generator {name} ended with code {code}: {''.join(tail) or 'it said nothing'}"
                )

    def stop(self) -> None:
        """Stop all processes."""
        for running in self._running.values():
            if running.exit_code() is None:
                self.runtime.stop(running)
        self._running.clear()
