"""Where a server binary comes from: flag, then LAB_<NAME>_BIN, then PATH, then the cache `lab install` fills.

The first place that has one decides. A bad binary is an error that names it, never passed over in
silence: somebody put it there and expects it to be used.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.errors import UsageError
from lab.install.cache import home_of, server_dir
from lab.install.catalog import PROGRAMS, SERVERS, Program
from lab.install.errors import BinaryMissingError, Source
from lab.install.probe import Binary, probe


def find(name: str, explicit: Path | None = None, *, beside: Binary | None = None) -> Binary:
    """Return the binary called `name`, having run it once to learn its version.

    `explicit` is the value of a flag. A tool (promtool, amtool) is looked for beside its server before
    PATH; `beside` says which server that is, by default the one `find` would return. Raises BinaryError
    (missing, unusable or too old), and UsageError for a name the lab does not know.
    """
    program = PROGRAMS.get(name)
    if program is None:
        raise UsageError(f"{name!r} is no program the lab uses: one of {', '.join(PROGRAMS)}")
    place = _locate(program, explicit, beside)
    if place is None:
        raise BinaryMissingError(
            f"{program.title} was not found (PATH, {server_dir(_server_of(name))})",
            f"run `lab install`, or set {program.variable}",
            name,
        )
    return probe(program, *place)


def _locate(program: Program, explicit: Path | None, beside: Binary | None) -> tuple[Path, Source] | None:
    """Return the file that will be used and where it was found, without running anything."""
    if explicit is not None:
        return home_of(explicit, f"--{program.name}-bin").absolute(), "flag"
    if value := os.environ.get(program.variable):
        return home_of(Path(value), program.variable).absolute(), "env"
    return _beside(program, beside) or _on_path(program) or _cached(program)


def _beside(program: Program, server: Binary | None) -> tuple[Path, Source] | None:
    """Look in the folder of the tool's server, and in the folder its symlink points to."""
    if program.beside is None:
        return None
    place = (server.path, server.source) if server else _locate(PROGRAMS[program.beside], None, None)
    if place is None:
        return None
    path, source = place
    for folder in (path.parent, path.resolve().parent):
        for file_name in program.file_names:
            if os.access(folder / file_name, os.X_OK) and (folder / file_name).is_file():
                return folder / file_name, source
    return None


def _on_path(program: Program) -> tuple[Path, Source] | None:
    for file_name in program.file_names:
        if found := shutil.which(file_name):
            return Path(found).absolute(), "path"
    return None


def _cached(program: Program) -> tuple[Path, Source] | None:
    candidate = server_dir(_server_of(program.name)) / program.name
    try:
        return (candidate, "cache") if candidate.exists() else None
    except OSError:  # a cache of somebody else's, closed to us: for us nothing is cached
        return None


def _server_of(name: str) -> str:
    """Return the server in whose cache folder the program `name` lies."""
    return next(server.name for server in SERVERS if name in server.programs)
