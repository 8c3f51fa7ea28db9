"""Ask the service one question as the client that is live would: again, if it says so, each time in full."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from lab.loadgen import client as healthy

Wait = Callable[[int, int, float | None], float | None]
_live: dict[int, Wait] = {}
"""The `wait_s` of the newest version of the file, by when it was written."""


def wait_s() -> Wait:
    """Of the client that is live now (`LAB_CLIENT`); the healthy one's without the lab."""
    path = Path(os.environ.get("LAB_CLIENT") or healthy.__file__)
    written = path.stat().st_mtime_ns
    if written not in _live:
        found: dict[str, Any] = {}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), found)  # noqa: S102  (it is deployed)
        _live.clear()
        _live[written] = found["wait_s"]
    return _live[written]


def ask(user: Any, question: str, person: str, *, least_quality: float = 0.0) -> None:
    """One question of a person; an answer below `least_quality` is of no use to them, and counts as failed."""
    body, speed = {"query": question, "user_id": person}, float(os.environ.get("LAB_LOAD_SPEED", "1"))
    for attempt in itertools.count(1):
        with user.client.post("/query", json=body, name="/query", catch_response=True) as response:
            status = int(response.status_code or 0)
            if status == 200 and least_quality and float(response.json()["quality"]) < least_quality:
                response.failure("a useless answer")
                return
            if status == 200:
                return
            told = response.headers.get("Retry-After") if response.headers else None
        wait = wait_s()(attempt, status, float(told) if told else None)
        if wait is None:
            return
        gevent.sleep(wait / speed)
