"""Workers that somebody starts elsewhere: where their master listens, and the command that starts one.

The command line loads this file: what is only needed in a run is imported there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from lab.errors import UsageError

OPTION = "--master-bind"
LOOPBACK = "127.0.0.1"
WAIT_S = 120.0
"""Seconds in which somebody types a command on another machine."""


@dataclass(frozen=True)
class Elsewhere:
    """How many workers are awaited, where the master listens, and for how many seconds it waits. Port 0: any."""

    count: int
    host: str = LOOPBACK
    port: int = 0
    wait_s: float = WAIT_S

    @property
    def open(self) -> bool:
        """Whether other machines can reach it."""
        from ipaddress import IPv4Address

        return not IPv4Address(self.host).is_loopback

    def address(self, chosen: str) -> str:
        """`host:port` of the master; its port is that of an address chosen by the kernel where none was given."""
        return f"{self.host}:{self.port or chosen.rpartition(':')[2]}"


@dataclass(frozen=True)
class Wanted:
    """Workers that are awaited now: the command that starts one, and the `host:port` that they will ask."""

    command: str
    target: str
    elsewhere: Elsewhere


def bind_of(text: str) -> tuple[str, int]:
    """`ADDR` or `ADDR:PORT` of this machine. Raises `UsageError`, also when it can't be listened on."""
    import socket
    from ipaddress import AddressValueError, IPv4Address

    host, _, port = text.partition(":")
    try:
        address, number = IPv4Address(host), int(port or 0)
    except (AddressValueError, ValueError):
        raise UsageError(f"{OPTION} {text}: give an IPv4 address of this machine, or ADDR:PORT") from None
    if address.is_unspecified:
        raise UsageError(f"{OPTION} {text}: give the one address at which the workers reach this machine")
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "ports go up to 65535"
        raise UsageError(f"{OPTION} {text}: {reason}; give an address of this machine and a free port") from error
    return host, number


def worker_command(master: str, env: Mapping[str, str], *, here: bool) -> str:
    """What starts one worker, in a shell that has this version of the lab. The locustfile comes from the master.

    `here`: on this machine, with this Python.
    """
    import shlex

    host, _, port = master.rpartition(":")
    given = [f"{name}={value}" for name, value in sorted(env.items())]
    python = sys.executable if here else "python3"
    argv = ("-m", "locust", "-f", "-", "--worker", "--master-host", host, "--master-port", port)
    return shlex.join(["env", *given, python, *argv, "--loglevel", "WARNING"])
