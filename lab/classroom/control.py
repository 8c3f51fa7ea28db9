"""The owner's control interface: HTTP on a loopback port, for those who know the token."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from lab.classroom import web
from lab.classroom.faults import Switch
from lab.classroom.feed import Feed
from lab.classroom.owner import Owner
from lab.errors import LabError
from lab.registry import CONTROL
from lab.runtime.ports import LOOPBACK


@dataclass(frozen=True)
class Control:
    """Where the owner listens, and the token that it asks for."""

    address: str
    token: str = field(repr=False)

    def write(self, path: Path) -> None:
        """Keep it where only this user can read it."""
        temporary = path.with_suffix(f"{CONTROL}.tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(asdict(self), out)
        temporary.replace(path)


def make_app(owner: Owner, token: str, down: Callable[[], None]) -> FastAPI:
    """The interface and the live page. It reads no body, so there is none to bound."""

    def knows(given: str) -> None:
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode()):
            raise HTTPException(403, "the token of the control file is needed")

    def guard(authorization: Annotated[str, Header()] = "") -> None:
        knows(authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else "")

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    guarded = [Depends(guard)]

    @app.exception_handler(LabError)
    def refused(_request: Request, error: LabError) -> JSONResponse:
        return JSONResponse({"error": str(error), "exit_code": error.exit_code}, 409)

    @app.get("/status", dependencies=guarded)
    def status() -> dict[str, Any]:
        return owner.status().to_json()

    @app.post("/fault", dependencies=guarded)
    def fault(target: str, switch: Switch, variant: str = "") -> dict[str, str]:
        return {"said": owner.switch(target, variant, switch)}

    @app.post("/down", dependencies=guarded)
    def stop() -> dict[str, str]:
        down()
        return {"said": "stopping"}

    @app.get("/events")
    def events(token: str = "") -> StreamingResponse:
        knows(token)  # a browser's EventSource sends no header of ours
        return StreamingResponse(Feed(owner).events(), media_type="text/event-stream", headers=web.HEADERS)

    @app.get("/{name:path}")
    def page(name: str) -> Response:
        return web.answer(name)

    return app


class ControlServer:
    """Serves the interface in a thread of its own from `start` to `stop`."""

    def __init__(self, owner: Owner, down: Callable[[], None]) -> None:
        self._socket = socket.create_server((LOOPBACK, 0))
        self.control = Control(f"{LOOPBACK}:{self._socket.getsockname()[1]}", secrets.token_urlsafe(32))
        app = make_app(owner, self.control.token, down)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="control", daemon=True)

    def start(self) -> None:
        """Begin to serve; the kernel keeps callers waiting until it does."""
        self._thread.start()

    def stop(self) -> None:
        """Let those who ask have their answers, and end."""
        self._server.should_exit = True
        if self._thread.is_alive():  # not so where the stack never came up
            self._thread.join(5.0)
        self._socket.close()
