"""Ask a binary what it is: its version and the flags it knows. Nothing is assumed from a file's name."""

from __future__ import annotations

import errno
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from lab.install.bounded import Outcome, run
from lab.install.catalog import PROGRAMS, Program, Version, dotted
from lab.install.errors import BinaryTooOldError, BinaryUnusableError, Source

DEADLINE_S = 5.0

# Kingpin indents a flag by 2 to 8 columns and its description by more; `--[no-]x` means both spellings.
_FLAG = re.compile(r"^ {2,8}(?:-\w, )?--(?P<no>\[no-\])?(?P<name>[\w.\-]+)", re.MULTILINE)

_flags_seen: dict[tuple[Path, int], frozenset[str]] = {}


@dataclass(frozen=True)
class Binary:
    """A server binary that was run and answered.

    `version` is numeric, (2, 42, 0); `version_text` is what the binary printed, `2.42.0+ds`. `known`: its flags, where
    they were asked already; a program inside an image can't be asked by path.
    """

    name: str
    path: Path
    version: Version
    version_text: str
    source: Source
    known: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The program's proper name."""
        return PROGRAMS[self.name].title


def probe(program: Program, path: Path, source: Source) -> Binary:
    """Run `path --version` and return what it is.

    Raises BinaryUnusableError when it is not that program, BinaryTooOldError when the lab needs a later one.
    """

    def unusable(why: str) -> BinaryUnusableError:
        return BinaryUnusableError(f"{path} {why}", _remedy(program, source), program.name, path, source)

    try:
        if not path.exists():
            raise unusable("does not exist")
        if path.is_dir():
            raise unusable(f"is a directory, not the {program.title} program")
        if not os.access(path, os.X_OK):
            raise unusable("is not executable")
        outcome = run([path, "--version"], deadline_s=DEADLINE_S)
    except OSError as error:
        raise unusable(f"cannot be run ({_why_not(error)})") from error
    if outcome.returncode is None:
        raise unusable(f"did not answer --version within {DEADLINE_S:g} s")
    found = program.introduces.search(outcome.text)
    if found is None:
        raise unusable(f"is not {program.title} ({_said(outcome)})")
    text = found["version"]
    version = parse_version(text)
    if version < program.minimum:
        raise BinaryTooOldError(
            f"{path} is {program.title} {text}; the lab needs {dotted(program.minimum)} or later",
            _remedy(program, source),
            program.name,
            path,
            source,
        )
    return Binary(program.name, path, version, text, source)


def flags(binary: Binary) -> frozenset[str]:
    """Return the flags that `--help` lists, dashes included: `--web.listen-address`.

    Asked once per path and modification time. Raises BinaryUnusableError when the binary no longer answers.
    """
    if binary.known:
        return binary.known
    try:
        key = (binary.path, binary.path.stat().st_mtime_ns)
        if key not in _flags_seen:
            outcome = run([binary.path, "--help"], deadline_s=DEADLINE_S)
            if outcome.returncode is None:
                raise TimeoutError(f"no answer within {DEADLINE_S:g} s")
            _flags_seen[key] = parse_flags(outcome.text)
    except OSError as error:
        raise BinaryUnusableError(
            f"{binary.path} --help cannot be asked ({error.strerror or error})",
            _remedy(PROGRAMS[binary.name], binary.source),
            binary.name,
            binary.path,
            binary.source,
        ) from error
    return _flags_seen[key]


def parse_flags(help_text: str) -> frozenset[str]:
    """Return every flag of a Kingpin help text; `--[no-]x` gives `--x` and `--no-x`."""
    found: set[str] = set()
    for match in _FLAG.finditer(help_text):
        found.add(f"--{match['name']}")
        if match["no"]:
            found.add(f"--no-{match['name']}")
    return frozenset(found)


def parse_version(text: str) -> Version:
    """Return the leading numbers of a version: `2.42.0+ds` gives (2, 42, 0)."""
    leading = re.match(r"\d{1,9}(?:\.\d{1,9})*", text)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()


def _why_not(error: OSError) -> str:
    """Explain why the kernel refused to execute a file."""
    if error.errno == errno.ENOEXEC:
        return f"no program for this machine, {platform.system()} {platform.machine()}"
    if error.errno == errno.ENOENT:  # the file exists: it is the loader or interpreter that does not
        return "its loader is not on this machine; built for another one?"
    return error.strerror or str(error)


def _said(outcome: Outcome) -> str:
    """Quote what a stranger printed: shortened, and escaped so that a terminal obeys none of it."""
    line = next((line.strip() for line in outcome.text.splitlines() if line.strip()), "")
    if not line:
        return f"--version printed nothing, exit code {outcome.returncode}"
    return f"--version says {line[:77] + '...' if len(line) > 80 else line!r}"


def _remedy(program: Program, source: Source) -> str:
    """Say what to do about a bad binary, depending on how it was found."""
    if source == "cache":
        return "run `lab install` again"
    if source == "path":
        return f"take it off PATH, or set {program.variable} to a good one"
    where = program.variable if source == "env" else "the flag"
    return f"correct {where}, or leave it out and run `lab install`"
