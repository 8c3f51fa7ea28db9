"""Restarts: a service that the fault ended is started again, as an orchestrator would.

At once the first time. One that ends again before it was ready waits: five simulated minutes, where Kubernetes'
back-off ends. With a shorter pause, starts that answer a scrape would reset the `for` of a rule on `up == 0`.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.errors import LabError
from lab.events import Exited, Restarted, Unmeasured
from lab.journal import Journal
from lab.scenario import Wait
from lab.stack import Stack

BACK_OFF = Wait(simulated_s=300)


@dataclass
class Restarts:
    """What has ended and when it is due to be started again; `step` writes down the ends and does what is due."""

    stack: Stack
    journal: Journal
    _due: dict[str, float] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)
    """Services that were started again and have not been ready since."""
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "restart"))

    def step(self) -> None:
        """Called once a second; a restart itself goes on in a thread."""
        scenario = self.stack.scenario
        for service, code, how in self.stack.ended():
            ended = Exited(time.time(), service, code, how)
            self.journal.record(ended)
            if scenario.restarts and scenario.kills(ended):
                pause = BACK_OFF.seconds(self.stack.speed) if service in self._failing else 0.0
                self._due[service] = time.time() + pause
        for service in [name for name, due in self._due.items() if time.time() >= due]:
            del self._due[service]
            self._failing.add(service)
            self._pool.submit(self._restart, service)

    def stop(self) -> None:
        """Wait for a restart that is under way; what is due later is not done any more."""
        self._pool.shutdown(wait=True)

    def _restart(self, service: str) -> None:
        try:
            if self.stack.restart(service):
                self._failing.discard(service)
                self.journal.record(Restarted(time.time(), service))
        except LabError as error:
            running = self.stack.running.get(service)
            ended = running is None or running.exit_code() is not None
            if ended and service in self.stack.scenario.exit_codes:
                return  # the next look tells with which code
            self.journal.record(Unmeasured(time.time(), f"{service} could not be restarted: {error}"))
