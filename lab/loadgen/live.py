"""Live figures of the traffic: one JSON line a second into the file named by `LAB_LOAD_STATS`.

Given to Locust as a second locustfile, so that it works with any scenario's. A worker has no file: it tells its master,
which adds up what its workers say and how many of them do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import gevent
from locust import FastHttpUser, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from lab.loadgen.together import Heard, figures_of

PANEL = "panel"
"""Requests whose name begins so are a dashboard's, not the service's: they are counted apart."""
ERROR_CHARS = 300
CONNECT_S = 1.0
"""How long a user waits for a connection, unless its class says otherwise.

An address whose container is being replaced does not refuse: it is silent, and the kernel asks again only after 1, 3
and 7 s (net.ipv4.tcp_syn_retries). A user with Locust's patience of 60 s came back 5 s after the service had.
"""
FastHttpUser.connection_timeout = CONNECT_S
MESSAGE = "lab-figures"


class Counts:
    """Requests of one second."""

    def __init__(self) -> None:
        self.served = 0
        self.failed = 0
        self.latencies_ms: list[float] = []
        self.error = ""
        self.answered: dict[str, int] = {}

    def take(self, name: str, response_time: float, exception: BaseException | None) -> None:
        """Count one request."""
        self.latencies_ms.append(response_time)
        if exception is None:
            self.served += 1
            self.answered[name] = self.answered.get(name, 0) + 1
        else:
            self.failed += 1
            self.error = self.error or str(exception)[:ERROR_CHARS]

    def figures(self, seconds: float) -> dict[str, float]:
        """Rates per second and the 95th percentile in seconds, of failed requests too."""
        ordered = sorted(self.latencies_ms)
        p95 = ordered[int(0.95 * (len(ordered) - 1))] / 1000 if ordered else 0.0
        return {"served": self.served / seconds, "failed": self.failed / seconds, "p95_s": p95}


_service, _panels = Counts(), Counts()


@events.request.add_listener
def _on_request(name: str, response_time: float, exception: BaseException | None, **_: Any) -> None:
    (_panels if name.startswith(PANEL) else _service).take(name, response_time, exception)


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    runner, path = environment.runner, os.environ.get("LAB_LOAD_STATS")
    if isinstance(runner, WorkerRunner):
        gevent.spawn(_send, environment, runner)
    elif path:
        heard = Heard()
        if isinstance(runner, MasterRunner):
            runner.register_message(MESSAGE, lambda msg, **_: heard.take(msg.node_id, msg.data, time.time()))
        gevent.spawn(_report, environment, path, heard)


def _report(environment: Environment, path: str, heard: Heard) -> None:
    is_master = isinstance(environment.runner, MasterRunner)
    with open(path, "a", encoding="utf-8") as out:  # noqa: PTH123 - gevent patches open
        for told in _seconds(environment):
            line = figures_of(heard.fresh(told["t"]), told["t"]) if is_master else told
            out.write(json.dumps(line) + "\n")
            out.flush()


def _send(environment: Environment, runner: WorkerRunner) -> None:
    for told in _seconds(environment):
        runner.send_message(MESSAGE, dict(told))


def _seconds(environment: Environment) -> Iterable[Mapping[str, Any]]:
    last = time.time()
    while True:
        gevent.sleep(1.0)
        now = time.time()
        yield _take(environment, now, now - last)
        last = now


def _take(environment: Environment, now: float, seconds: float) -> dict[str, Any]:
    global _service, _panels
    service, panels, _service, _panels = _service, _panels, Counts(), Counts()
    users = environment.runner.user_count if environment.runner else 0
    told: dict[str, Any] = {"t": now, "users": users, **service.figures(seconds)}
    if panels.latencies_ms:
        told.update({f"panel_{k}": v for k, v in panels.figures(seconds).items()}, panel_error=panels.error)
        told["panel_titles"] = {n.removeprefix(PANEL).strip(): c / seconds for n, c in panels.answered.items()}
    return told
