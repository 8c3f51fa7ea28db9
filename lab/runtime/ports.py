"""Loopback ports chosen by the kernel and kept for the length of a run."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass
class Ports:
    """Hands out ports by (service, port name) and keeps each reserved until `release`.

    A socket that is bound with SO_REUSEADDR and never listens lets a server bind the same port (Go and
    asyncio both set SO_REUSEADDR), while the kernel gives the number to nobody else: socket(7), bind(2).
    So a service may be stopped and started again without losing its port to a stranger.
    """

    _held: dict[tuple[str, str], socket.socket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, service: str, port: str) -> int:
        """The port's number; chosen at the first call."""
        key = (service, port)
        with self._lock:
            if key not in self._held:
                held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                held.bind((LOOPBACK, 0))
                self._held[key] = held
            return int(self._held[key].getsockname()[1])

    def of(self, service: str) -> list[tuple[str, int]]:
        """(port name, number) of those that were asked for."""
        return [(port, self.get(of, port)) for of, port in list(self._held) if of == service]

    def release(self) -> None:
        """Give all ports back."""
        for held in self._held.values():
            held.close()
        self._held.clear()
