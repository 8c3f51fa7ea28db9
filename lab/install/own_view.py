"""A program that reads files of its package from a fixed path gets its own view of that path.

Debian's Alertmanager opens `/usr/share/prometheus/alertmanager/default.tmpl` whatever it is told, and ends when it
is not there. Unpacked without root, the file lies beside the program; a wrapper shows it at the fixed path, in a
mount namespace of the program's own: nothing of the system is changed. See unshare(1), mount_namespaces(7).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.install.catalog import Server

_FIXED = Path("usr/share/prometheus/alertmanager")
_PROGRAMS = ("alertmanager", "amtool")

# Every step is an `exec`: the lab signals the server itself, and its process id is that of the wrapper.
_WRAPPER = """\
#!/bin/sh
here=$(cd "${0%/*}" && pwd)
real=$here/lib/{program}
# Whoever only asks for the version or the flags, or has the package installed, needs no view.
case ${1-} in --version | --help | -h) exec "$real" "$@" ;; esac
[ -e /{fixed}/default.tmpl ] && exec "$real" "$@"
if unshare --user --map-root-user --mount true 2>/dev/null; then set -- --user --map-root-user --mount -- "$@"
elif unshare --mount true 2>/dev/null; then set -- --mount -- "$@"
else
  echo "{program}: this build reads /{fixed}; allow user namespaces, or install its package as root" >&2
  exit 1
fi
args=
while [ "$1" != -- ]; do args="$args $1"; shift; done
shift
# shellcheck disable=SC2086
exec unshare $args sh -c 'mount --bind "$0/share" /usr/share && exec "$@"' "$here" "$real" "$@"
"""


def supply(folder: Path, tree: Path, server: Server) -> None:
    """Wrap the programs in `folder` that need files of the unpacked package in `tree`; no others."""
    if not (tree / _FIXED).is_dir():
        return
    shutil.copytree(tree / _FIXED, folder / _FIXED.relative_to("usr"), symlinks=True, dirs_exist_ok=True)
    (folder / "lib").mkdir(exist_ok=True)
    for program in set(_PROGRAMS) & set(server.programs):
        if (folder / program).is_file():
            (folder / program).rename(folder / "lib" / program)
            (folder / program).write_text(_WRAPPER.replace("{program}", program).replace("{fixed}", str(_FIXED)))
            (folder / program).chmod(0o755)
