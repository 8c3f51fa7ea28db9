"""`lab install`: decide per server what is to be done, then do it.

Already usable: nothing. Else the official release, else the distribution's package, into the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.install.binaries import find
from lab.install.cache import adopt, incoming, locked, server_dir
from lab.install.catalog import PROGRAMS, SERVERS, Server
from lab.install.debian import Package
from lab.install.errors import BinaryError, BinaryMissingError, InstallError
from lab.install.probe import Binary, probe
from lab.install.source import Say, Source, SourceError
from lab.install.tarball import Tarball

_WHERE = {"flag": "from the flag", "env": "from the environment", "path": "on PATH", "cache": "in the cache"}


@dataclass(frozen=True)
class Step:
    """What is to be done for one server: nothing when `present`, else try `sources` in order.

    `note` says why an optional server that is there is not used.
    """

    server: Server
    present: tuple[Binary, ...] = ()
    sources: tuple[Source, ...] = ()
    note: str = ""

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.sources)

    def describe(self) -> str:
        """Return the step as one line, for `--dry-run`."""
        name = self.server.title + (" (optional)" if self.server.optional else "")
        if self.note:
            return f"{name}: {self.note}"
        if not self.needed:
            there = ", ".join(f"{b.name} {b.version_text} {_WHERE[b.source]} ({b.path})" for b in self.present)
            return f"{name}: nothing to do: {there}"
        ways = "; else ".join(source.describe() for source in self.sources)
        return f"{name}: {ways}; into {server_dir(self.server.name)}"


def plan(prometheus: Path | None = None, alertmanager: Path | None = None) -> list[Step]:
    """Return one step per server. The arguments are the values of the flags `--prometheus-bin` and so on.

    Runs the binaries that are there, downloads nothing. Raises BinaryError when a flag, a variable or PATH
    names a bad binary: installing another would not make it be used. A bad one in the cache is replaced.
    """
    chosen = {"prometheus": prometheus, "alertmanager": alertmanager}
    return [_step(server, chosen) for server in SERVERS]


def install(steps: Sequence[Step], report: Say) -> None:
    """Carry out the steps that `plan` returned; `report` gets a line for each thing done.

    Raises InstallError (exit code 3) for the first server that cannot be had and is not optional, LabError
    when the cache cannot be used. What is in the cache afterwards is whole, also after an interruption.
    """
    for step in steps:
        if not step.needed:
            report(step.describe())
            continue
        with locked(report):
            _carry_out(step, report)


def _step(server: Server, chosen: dict[str, Path | None]) -> Step:
    """Decide about one server."""
    present: list[Binary] = []
    for name in server.needed:
        try:
            present.append(find(name, chosen.get(name), beside=present[0] if present else None))
        except BinaryError as error:
            if not isinstance(error, BinaryMissingError) and error.source != "cache":
                if server.optional and error.source == "path":
                    return Step(server, note=f"not used: {error}")
                raise
            return Step(server, tuple(present), _sources(server))
    return Step(server, tuple(present))


def _sources(server: Server) -> tuple[Source, ...]:
    package = Package(server)
    return (Tarball(server), package) if server.release else (package,)


def _carry_out(step: Step, report: Say) -> None:
    """Try each source of a step; the first usable result is moved into the cache."""
    server = step.server
    if installed := _installed(server):
        report(f"{server.title}: installed meanwhile by another `lab install`, {_summary(installed)}")
        return
    tried: list[str] = []
    for source in step.sources:
        try:
            with incoming() as scratch:
                folder = scratch / server.name
                folder.mkdir()
                source.fetch(folder, report)
                _check(server, folder)
                adopt(folder, server.name)
        except SourceError as error:
            report(f"{server.title}: {error}")
            tried.append(f"{source.describe()}: {error}")
            continue
        except OSError as error:
            raise InstallError(f"{server.title}: cannot write to the cache ({error}): set LAB_CACHE_DIR") from error
        report(f"{server.title}: installed {_summary(_installed(server))} from {source.describe()}")
        return
    _give_up(server, tried, report)


def _give_up(server: Server, tried: list[str], report: Say) -> None:
    """Note that an optional server is not there, raise InstallError for another."""
    variables = " and ".join(PROGRAMS[name].variable for name in server.needed)
    if server.optional:
        report(f"{server.title}: not installed; it is optional, the lab does without ({variables} names one)")
        return
    raise InstallError(
        f"{server.title} could not be installed. Tried: {'; '.join(tried)}. "
        f"Remedy: connect to a network, or put {' and '.join(server.needed)} on PATH or into {variables}"
    )


def _check(server: Server, folder: Path) -> None:
    """Run what was fetched before anybody else can see it. Raises SourceError."""
    for name in server.needed:
        if not (folder / name).exists():
            raise SourceError(f"has no {name}")
        try:
            probe(PROGRAMS[name], folder / name, "cache")
        except BinaryError as error:  # its path is a temporary one, and "install again" is no remedy here
            raise SourceError(error.problem.replace(f"{folder}/", "the ")) from error


def _installed(server: Server) -> tuple[Binary, ...]:
    """Return the needed programs in the cache, or nothing unless all of them are good."""
    folder = server_dir(server.name)
    try:
        return tuple(probe(PROGRAMS[name], folder / name, "cache") for name in server.needed)
    except BinaryError:
        return ()


def _summary(binaries: Sequence[Binary]) -> str:
    return ", ".join(f"{binary.name} {binary.version_text}" for binary in binaries)
