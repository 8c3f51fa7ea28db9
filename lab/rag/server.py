"""Runs the application on a socket until a signal ends it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from lab.rag.errors import ConfigError

BACKLOG = 2048
DRAIN_S = 0.5  # what running queries get when the service stops


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own re-raises the signal in the end; a stop that was asked for should exit 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; otherwise every answer waits 40 ms for an ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise ConfigError(f"{host}:{port}: {error.strerror}") from error
    return sock


def run(app: FastAPI, socks: list[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT; running queries get half a second to end."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        http="h11",
        loop="asyncio",
        access_log=False,
        proxy_headers=False,  # the admin switches trust the address
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
    )
    config.timeout_graceful_shutdown = DRAIN_S  # type: ignore[assignment]  # passed on to wait_for
    asyncio.run(_Server(config).serve(socks))
