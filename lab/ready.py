"""Wait until a service answers on its readiness path."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event

import httpx

from lab.errors import StartError
from lab.runtime.protocol import Running


def wait_ready(service: Running, url: str, over: Event | None = None) -> None:
    """Wait until `url` answers 200. Raises `StartError` with the last lines of a service that died or is late.

    Also when meanwhile it is `over`, and nobody wants it any more.
    """
    over = over or Event()
    name, limit_s = service.spec.name, service.spec.start_timeout_s
    deadline = time.monotonic() + limit_s
    pause = 0.02
    while not _answers(url):
        if (code := service.exit_code()) is not None:
            raise StartError(f"{name} ended with code {code} while it was awaited: {tail(service.log)}")
        if time.monotonic() > deadline:
            raise StartError(f"{name} is not ready after {limit_s:.0f} s: {tail(service.log)}")
        if over.wait(pause):
            raise StartError(f"{name} is not awaited: the run is over")
        pause = min(0.2, pause * 1.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def end_of(service: Running) -> str:
    """How a service ended; of the one that runs a deployment's code with its last words, which name the line."""
    how = service.how_it_ended()
    said = tail(service.log, 1) if service.spec.name == "rag" and (service.exit_code() or 0) > 0 else ""
    return f"{how}: {said}" if said else how


def tail(log: Path, lines: int = 3) -> str:
    """The last lines of a log, on one line."""
    try:
        found = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:]
    except OSError:
        found = []
    return " | ".join(found) or "it said nothing"
