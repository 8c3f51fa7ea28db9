"""A program whose shared libraries this machine lacks gets them beside it, and a wrapper to find them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.install.bounded import run
from lab.install.catalog import Server
from lab.install.source import SourceError

if TYPE_CHECKING:
    from lab.install.debian import Apt

_LOADER_COMPLAINT = "error while loading shared libraries"
_RUN_S = 5.0

# `exec` keeps the process id: the lab signals the server itself, not a shell around it.
_WRAPPER = """\
#!/bin/sh
here=${0%/*}
LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$here/lib/{program}" "$@"
"""


def supply(folder: Path, server: Server, apt: Apt) -> None:
    """Give a program in `folder` that does not load the libraries of `server`. Raises SourceError."""
    for program in server.programs:
        if not _loads(folder / program):
            _wrap(folder, program, server.libraries, apt)


def _loads(program: Path) -> bool:
    try:
        return _LOADER_COMPLAINT not in run([program, "--version"], deadline_s=_RUN_S).text
    except OSError as error:
        raise SourceError(f"{program.name} does not run ({error.strerror})") from error


def _wrap(folder: Path, program: str, packages: tuple[str, ...], apt: Apt) -> None:
    library_folder = folder / "lib"
    library_folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        for package in packages:
            apt.unpack(package, Path(scratch))
        for library in Path(scratch).glob("**/*.so*"):
            if library.is_file():  # a link is copied as the file it points to, under the name asked for
                shutil.copyfile(library, library_folder / library.name)
    (folder / program).rename(library_folder / program)
    wrapper = folder / program
    wrapper.write_text(_WRAPPER.replace("{program}", program))
    wrapper.chmod(0o755)
