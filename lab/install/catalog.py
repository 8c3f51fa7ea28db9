"""The programs the lab starts: what they are called, how they introduce themselves, which versions will do.

Every pinned version of a server lives here and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """One executable.

    `introduces` matches the line that `--version` prints; its group `version` is the version as printed.
    `beside` names the program in whose folder this one is looked for first: a tool should match its server.
    """

    name: str
    title: str
    file_names: tuple[str, ...]
    variable: str
    introduces: re.Pattern[str]
    minimum: Version = ()
    beside: str | None = None


def _go_program(
    name: str,
    title: str,
    variable: str,
    minimum: Version,
    beside: str | None = None,
    also: tuple[str, ...] = (),
) -> Program:
    """Return a program of the Prometheus family, which prints `prometheus, version 3.5.0 (branch: ...)`."""
    introduces = re.compile(rf"^{name}, version v?(?P<version>\d+\.\d+\S*)", re.MULTILINE)
    return Program(name, title, (name, *also), variable, introduces, minimum, beside)


PROMETHEUS_MINIMUM: Version = (2, 42)
ALERTMANAGER_MINIMUM: Version = (0, 25)

PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        _go_program("prometheus", "Prometheus", "LAB_PROMETHEUS_BIN", PROMETHEUS_MINIMUM),
        _go_program("promtool", "promtool", "LAB_PROMTOOL_BIN", PROMETHEUS_MINIMUM, beside="prometheus"),
        _go_program(
            "alertmanager", "Alertmanager", "LAB_ALERTMANAGER_BIN", ALERTMANAGER_MINIMUM,
            also=("prometheus-alertmanager",),  # Debian's name
        ),
        _go_program("amtool", "amtool", "LAB_AMTOOL_BIN", ALERTMANAGER_MINIMUM, beside="alertmanager"),
        Program(
            "redis-server", "Redis", ("redis-server",), "LAB_REDIS_BIN",
            re.compile(r"^Redis server v=(?P<version>\d+\.\d+\S*)", re.MULTILINE),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Server:
    """What is installed together, into one folder of the cache.

    `needed` must be there afterwards, `extra` may be. `release` is the pinned version of the official
    tarball, None where the project publishes none. `packages` are the distribution's, unpacked in order;
    a program they lack is then looked for in a package of its own name. `libraries` are packages of shared
    libraries that a machine without the server may lack.
    """

    name: str
    title: str
    needed: tuple[str, ...]
    packages: tuple[str, ...]
    extra: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    release: str | None = None
    optional: bool = False

    @property
    def programs(self) -> tuple[str, ...]:
        """Needed programs first, then the extra ones."""
        return self.needed + self.extra


SERVERS: tuple[Server, ...] = (
    Server(
        "prometheus", "Prometheus", needed=("prometheus", "promtool"),
        packages=("prometheus",), release="3.5.0",
    ),
    Server(
        "alertmanager", "Alertmanager", needed=("alertmanager",), extra=("amtool",),
        packages=("prometheus-alertmanager",), release="0.28.1",
    ),
    Server(
        "redis", "Redis", needed=("redis-server",), packages=("redis-tools", "redis-server"),
        libraries=("libjemalloc2", "liblzf1", "libatomic1"), optional=True
    ),
)  # fmt: skip


def dotted(version: Version) -> str:
    """Return (2, 42) as `2.42`."""
    return ".".join(str(part) for part in version)
