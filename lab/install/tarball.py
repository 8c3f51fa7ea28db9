"""The official release: a tarball from the project's release page, checked against its sha256sums.txt.

The sums come from the same host over TLS: they catch a truncated or garbled download, TLS vouches for
the host. A network that refuses or swallows the connection costs seconds, not minutes: the small file of
sums is fetched first, under a short deadline, and a host that did not answer is not asked again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lab.install.catalog import Server
from lab.install.download import get_file, get_text
from lab.install.source import Say, SourceError

DEFAULT_RELEASE_URL = "https://github.com"

SUMS_LIMIT = 256 * 1024
TARBALL_LIMIT = 400 * 1024**2
UNPACKED_LIMIT = 1024**3
"""Bytes. Prometheus 3 is about 110 MB packed and 330 MB unpacked."""

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "armv7",
    "armv8l": "armv7",  # a 32-bit userland on a 64-bit kernel
}


def release_platform() -> str:
    """Return this machine in the spelling of the release page, `linux-amd64`. Raises SourceError."""
    system, machine = _SYSTEMS.get(platform.system()), _MACHINES.get(platform.machine().lower())
    if system is None or machine is None or (system, machine) == ("darwin", "armv7"):
        raise SourceError(f"the lab knows no release for {platform.system()} {platform.machine()}")
    return f"{system}-{machine}"


@dataclass(frozen=True)
class Tarball:
    """The pinned official release of `server`, for this machine."""

    server: Server

    @property
    def folder_url(self) -> str:
        """The release's folder. LAB_RELEASE_URL replaces the host, for a mirror."""
        base = os.environ.get("LAB_RELEASE_URL") or DEFAULT_RELEASE_URL
        name = self.server.name
        return f"{base.rstrip('/')}/prometheus/{name}/releases/download/v{self.server.release}"

    @property
    def stem(self) -> str:
        """Name of the tarball without its ending, and of the one folder inside it."""
        return f"{self.server.name}-{self.server.release}.{release_platform()}"

    def describe(self) -> str:
        """Return the URL of the tarball."""
        try:
            return f"official release {self.folder_url}/{self.stem}.tar.gz"
        except SourceError as error:
            return f"official release ({error})"

    def fetch(self, into: Path, say: Say) -> None:
        """Download, check and unpack; see Source.fetch."""
        file_name = f"{self.stem}.tar.gz"
        sums = get_text(f"{self.folder_url}/sha256sums.txt", SUMS_LIMIT)
        expected = find_sum(sums, file_name)
        say(f"{self.server.title}: downloading {self.folder_url}/{file_name}")
        packed = into.with_name(file_name)
        actual = get_file(f"{self.folder_url}/{file_name}", packed, TARBALL_LIMIT)
        if actual != expected:
            raise SourceError(
                f"{file_name} is not what sha256sums.txt promises "
                f"(sha256 {actual[:12]}..., promised {expected[:12]}...): thrown away"
            )
        unpack(packed, self.stem, self.server.programs, into)
        packed.unlink()


def find_sum(sums: str, file_name: str) -> str:
    """Return the sha256 (hex) of `file_name` from a sha256sums listing. Raises SourceError without one."""
    for line in sums.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().removeprefix("*") == file_name and len(digest) == hashlib.sha256().digest_size * 2:
            return digest.lower()
    raise SourceError(f"sha256sums.txt has no entry for {file_name}")


def unpack(packed: Path, stem: str, programs: tuple[str, ...], into: Path) -> None:
    """Copy `stem/<program>` and the licence out of a tarball into `into`. Raises SourceError.

    Contents are copied to names chosen here; no name, link, owner or mode of the archive reaches the disk.
    That is stricter than tarfile's data filter, which Python 3.11 has only since 3.11.4. A member outside
    `stem/` refuses the whole archive: nobody builds a release like that by accident.
    """
    wanted = {f"{stem}/{name}": name for name in (*programs, "LICENSE", "NOTICE")}
    try:
        with gzip.open(packed) as plain, tarfile.open(fileobj=_Capped(plain), mode="r|") as archive:
            for member in archive:
                if member.name != stem and not _inside(member.name, stem):
                    raise SourceError(f"{packed.name} has a member outside {stem}/: {member.name!r}")
                target = wanted.get(member.name)
                if target is None:
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise SourceError(f"{packed.name}: {member.name} is not a regular file")
                with (into / target).open("wb") as out:
                    shutil.copyfileobj(content, out, 1024**2)
                (into / target).chmod(0o755 if target in programs else 0o644)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise SourceError(f"{packed.name} cannot be unpacked ({error})") from error


def _inside(name: str, stem: str) -> bool:
    return name.startswith(f"{stem}/") and ".." not in name.split("/")


class _Capped(io.RawIOBase):
    """A stream that refuses to give more than UNPACKED_LIMIT bytes: a small file can unpack to terabytes."""

    def __init__(self, inner: gzip.GzipFile) -> None:
        super().__init__()
        self._inner = inner
        self._left = UNPACKED_LIMIT

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            raise tarfile.ReadError(f"unpacks to more than {UNPACKED_LIMIT >> 20} MiB")
        data = self._inner.read(size)
        self._left -= len(data)
        return data
