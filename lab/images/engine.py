"""The Docker engine, asked through its SDK; every error of three libraries becomes one `EngineError`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.errors import LabError

CONNECT_S = 3
"""Seconds in which an engine must answer to count as being there."""
TIMEOUT_S = 60
"""Seconds for one request to it."""

Engine = Any
"""A `docker.DockerClient`; the SDK has no types."""


class EngineError(LabError):
    """No engine answers, or it refuses what it was asked."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn whatever the SDK raises into an `EngineError` that begins with `what`."""
    import docker.errors
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        why = getattr(error, "explanation", None) or error
        raise EngineError(f"{what}: {' '.join(str(why).split())[:300]}") from error


def address() -> str:
    """Where the engine is asked: DOCKER_HOST, or the local socket."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


REMEDY = "start it, or use --runtime native"


def silence(error: BaseException, at: str = "") -> str:
    """That no engine answers, and where it was asked; where it may not be asked, that, too: starting it won't help."""
    forbidden = any(_forbids(one) for one in _causes(error))
    return f"no Docker engine answers at {at or address()}{' (permission denied)' if forbidden else ''}"


def _forbids(error: BaseException) -> bool:
    """The SDK's libraries hand the system's own error on as an argument of theirs, too."""
    return any(isinstance(one, PermissionError) for one in (error, *error.args))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def connect(at: str = "") -> Engine:
    """The engine that DOCKER_HOST names, or the local one, or the one `at` an address.

    Raises `EngineError` when none answers.
    """
    import docker

    try:
        with told("connect"):
            client = docker.DockerClient(base_url=at, timeout=CONNECT_S) if at else docker.from_env(timeout=CONNECT_S)
            try:
                client.ping()
            except BaseException:
                client.close()
                raise
            client.api.timeout = TIMEOUT_S
            return client
    except EngineError as error:
        raise EngineError(f"{silence(error, at)}; {REMEDY}") from error
