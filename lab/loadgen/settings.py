"""What a locustfile asks the lab: its rate, its seed."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from lab.dashboard import NONE, Dashboard, parse


def per_user() -> float:
    """Requests a second that one user makes (`LAB_USER_RATE`; 1 without the lab)."""
    return float(os.environ.get("LAB_USER_RATE", "1"))


_worker: list[Any] = []
"""The runner of this process, where it is a worker of a master."""

if "locust" in sys.modules:
    from locust import events

    @events.init.add_listener
    def _on_init(environment: Any, **_: Any) -> None:
        from locust.runners import WorkerRunner

        if isinstance(environment.runner, WorkerRunner):
            _worker.append(environment.runner)


def generator(number: int = 0) -> random.Random:
    """A generator that depends on the run's seed (`LAB_SEED`) and on a number, such as the user's.

    On a worker also on the number that its master gave it: users of two must not ask the same questions.
    """
    seed = os.environ.get("LAB_SEED", "1")
    mine = f"{seed}.{_worker[0].worker_index}" if _worker else seed
    return random.Random(f"{mine}/{number}")


GOLDEN = 0.6180339887498949


def arrive(user: Any, number: int) -> None:
    """Let user `number` begin at a moment of its own, evenly spread over the time between two of its requests.

    Users that all begin at once go on asking in step: at real time one second in five would have all the traffic.
    Multiples of the golden ratio spread any number of users evenly (Weyl, 1916).
    """
    import gevent

    gevent.sleep(number * GOLDEN % 1.0 / per_user())
    user.due = time.monotonic()


def pace(user: Any) -> float:
    """Seconds until the user's next request is due; one that is late does not catch up.

    Locust's constant_throughput counts from the user's creation, and so would take back what `arrive` has spread.
    """
    now = time.monotonic()
    user.due = max(now, user.due + 1.0 / per_user())
    return float(user.due - now)


def dashboard() -> Dashboard:
    """The dashboard that is live now (`LAB_DASHBOARD`); without panels when there is none."""
    try:
        return parse(Path(os.environ["LAB_DASHBOARD"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return NONE


def prometheus_url() -> str:
    """Where the patient's Prometheus answers (`LAB_PROMETHEUS_URL`)."""
    return os.environ.get("LAB_PROMETHEUS_URL", "http://127.0.0.1:9090")
