"""A volume of bounded size without root: a tmpfs in a user and mount namespace of its own.

The mount is seen by nobody else and dies with the last process in the namespace, so it can't be left
behind. A holder process keeps it over restarts of the service. See user_namespaces(7), tmpfs(5).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.errors import StartError

_HOLD = 'mount -t tmpfs -o "size=$2,mode=0755" lab "$1" && echo mounted && exec sleep 2147483647'
_WAYS = {
    "user": (("--user", "--map-root-user", "--mount"), ("--user", "--mount", "--preserve-credentials")),
    "root": (("--mount",), ("--mount",)),
}


@dataclass
class BoundedVolume:
    """A mounted volume: run a command in it with `enter(argv)`."""

    path: Path
    size_mib: float
    way: str
    holder: subprocess.Popen[str]

    def enter(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The command line that runs `argv` where the volume is mounted; the pid stays that of `argv`."""
        return ("nsenter", "--target", str(self.holder.pid), *_WAYS[self.way][1], "--", *argv)

    def usage(self) -> tuple[int, int]:
        """(used, size) in bytes. Raises `OSError` when the holder is gone."""
        found = os.statvfs(f"/proc/{self.holder.pid}/root{self.path}")
        return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_blocks * found.f_frsize

    def release(self) -> None:
        """Let go: the kernel unmounts when the last process inside has ended."""
        self.holder.kill()
        self.holder.wait()
        if self.holder.stdout:
            self.holder.stdout.close()


def mount(path: Path, size_mib: float, env: dict[str, str]) -> BoundedVolume:
    """Mount a tmpfs of `size_mib` MiB on `path`, unprivileged where the kernel allows it, else as root.

    Raises `StartError` with the reason and the remedy where neither is allowed.
    """
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        raise StartError("no volume of bounded size: unshare and nsenter (util-linux) are not installed")
    said = []
    for way in ("user", "root") if os.geteuid() == 0 else ("user",):
        volume, reason = _try(way, path, size_mib, env)
        if volume is not None:
            return volume
        said.append(reason)
    raise StartError(
        f"no volume of bounded size: {'; '.join(said)}; allow user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0) or run as root"
    )


def _try(way: str, path: Path, size_mib: float, env: dict[str, str]) -> tuple[BoundedVolume | None, str]:
    size = f"{max(1, round(size_mib * 1024))}k"
    holder = subprocess.Popen(
        ["unshare", *_WAYS[way][0], "sh", "-c", _HOLD, "sh", str(path), size],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        start_new_session=True,
    )
    assert holder.stdout is not None
    line = holder.stdout.readline().strip()
    if line == "mounted":
        return BoundedVolume(path, size_mib, way, holder), ""
    holder.kill()
    holder.wait()
    holder.stdout.close()
    return None, line or "unshare said nothing"
