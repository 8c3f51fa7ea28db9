"""Live figures of a Locust process: one JSON line a second into the file named by `LAB_LOAD_STATS`.

Given to Locust as a second locustfile, so that it works with any scenario's.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import gevent
from locust import events
from locust.env import Environment

_latencies_ms: list[float] = []
_counts = {"served": 0, "failed": 0}


@events.request.add_listener
def _on_request(response_time: float, exception: BaseException | None, **_: Any) -> None:
    if exception is None:
        _counts["served"] += 1
        _latencies_ms.append(response_time)
    else:
        _counts["failed"] += 1


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    path = os.environ.get("LAB_LOAD_STATS")
    if path:
        gevent.spawn(_report, environment, path)


def _report(environment: Environment, path: str) -> None:
    last = time.time()
    with open(path, "a", encoding="utf-8") as out:  # noqa: PTH123 - gevent patches open
        while True:
            gevent.sleep(1.0)
            now = time.time()
            out.write(json.dumps(_take(environment, now, now - last)) + "\n")
            out.flush()
            last = now


def _take(environment: Environment, now: float, seconds: float) -> dict[str, float]:
    served, failed = _counts["served"], _counts["failed"]
    ordered = sorted(_latencies_ms)
    _counts.update(served=0, failed=0)
    _latencies_ms.clear()
    p95 = ordered[int(0.95 * (len(ordered) - 1))] / 1000 if ordered else 0.0
    users = environment.runner.user_count if environment.runner else 0
    return {"t": now, "users": users, "served": served / seconds, "failed": failed / seconds, "p95_s": p95}
