"""The distribution's package: `apt-get download`, then `dpkg-deb -x` into the cache. Needs no root.

apt checks the package against its signed lists exactly as for a system-wide installation, and nothing of
the system is changed. Where the lists are empty (a fresh container) or too old, they are fetched into a
private folder that is removed afterwards.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from lab.install import own_view, shared_libraries
from lab.install.bounded import Outcome, run
from lab.install.catalog import Server
from lab.install.source import Say, SourceError

DOWNLOAD_S = 240.0
UPDATE_S = 180.0
UNPACK_S = 120.0

# The `-c` file is read after the system's own configuration. The hooks of `update` are cleared: they
# belong to the system's lists, and some empty the system's package cache.
_CONFIG = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Retries "1";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Acquire::Languages "none";
Dir::Cache "{folder}/cache";
"""
_PRIVATE_LISTS = """\
Dir::State::lists "{folder}/lists";
Debug::NoLocking "true";
"""

_STALE_LISTS = re.compile(
    r"Unable to locate package|has no installation candidate|Can't find a source to download|404 +Not Found"
)


@dataclass(frozen=True)
class Package:
    """The distribution's packages of `server`."""

    server: Server

    def describe(self) -> str:
        """Name the packages."""
        return f"the distribution's signed package {' and '.join(self.server.packages)} (apt-get download)"

    def fetch(self, into: Path, say: Say) -> None:
        """Download, verify and unpack; see Source.fetch."""
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise SourceError(f"there is no {tool} on this machine")
        apt = Apt(into.with_name("apt"), say)
        tree = into.with_name("tree")
        for package in self.server.packages:
            apt.unpack(package, tree)
        for program in self.server.programs:
            # newer suites ship promtool as a package of its own
            if program not in self.server.packages and not _in_tree(tree, program):
                _unpack_if_any(apt, program, tree, needed=program in self.server.needed)
        for program in self.server.programs:
            if found := _in_tree(tree, program):
                shutil.copyfile(found, into / program)
                (into / program).chmod(0o755)
        own_view.supply(into, tree, self.server)
        _copy_licences(tree, into)
        if self.server.libraries:
            shared_libraries.supply(into, self.server, apt)


@dataclass
class Apt:
    """apt-get with a folder of its own for everything it writes."""

    folder: Path
    say: Say
    _private_lists: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        for name in ("cache/archives/partial", "lists/partial", "debs"):
            (self.folder / name).mkdir(parents=True)
        self._configure()

    def unpack(self, package: str, tree: Path, *, refresh: bool = True) -> None:
        """Download `package` and unpack it into `tree`; `refresh` allows new lists. Raises SourceError."""
        debs = self.folder / "debs" / package
        debs.mkdir()
        outcome = self._download(package, debs)
        refresh = refresh and not self._private_lists
        if not outcome.ok and refresh and _STALE_LISTS.search(outcome.text):
            self._update()
            outcome = self._download(package, debs)
        if not outcome.ok:
            raise SourceError(f"apt-get download {package}: {_complaint(outcome, DOWNLOAD_S)}")
        for deb in debs.glob("*.deb"):
            unpacked = _run(["dpkg-deb", "-x", deb, tree], UNPACK_S)
            if not unpacked.ok:
                raise SourceError(f"dpkg-deb -x {deb.name}: {_complaint(unpacked, UNPACK_S)}")
            deb.unlink()

    def _download(self, package: str, debs: Path) -> Outcome:
        self.say(f"apt-get download {package}")
        return _run(["apt-get", "-q", "-c", self._config, "download", package], DOWNLOAD_S, cwd=debs)

    def _update(self) -> None:
        """Fetch the distribution's package lists into the private folder."""
        self.say("apt's package lists are empty or old here: fetching private ones")
        self._private_lists = True
        self._configure()
        outcome = _run(["apt-get", "-q", "-c", self._config, "update"], UPDATE_S)
        if not outcome.ok:
            raise SourceError(f"apt-get update (into a private folder): {_complaint(outcome, UPDATE_S)}")

    @property
    def _config(self) -> Path:
        return self.folder / "apt.conf"

    def _configure(self) -> None:
        text = _CONFIG + (_PRIVATE_LISTS if self._private_lists else "")
        self._config.write_text(text.replace("{folder}", str(self.folder)))


def _run(argv: list[str | Path], deadline_s: float, cwd: Path | None = None) -> Outcome:
    try:
        return run(argv, deadline_s=deadline_s, cwd=cwd, env={"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})
    except OSError as error:
        raise SourceError(f"{argv[0]} cannot be run ({error.strerror})") from error


def _complaint(outcome: Outcome, deadline_s: float) -> str:
    """Return the first error line of apt or dpkg."""
    if outcome.returncode is None:
        return f"not done within {deadline_s:g} s"
    errors = [line.strip() for line in outcome.text.splitlines() if line.startswith(("E: ", "dpkg-deb: error"))]
    return errors[0] if errors else outcome.last_line or f"exit code {outcome.returncode}"


def _unpack_if_any(apt: Apt, package: str, tree: Path, *, needed: bool) -> None:
    try:
        apt.unpack(package, tree, refresh=needed)
    except SourceError:
        if needed:
            raise


def _in_tree(tree: Path, program: str) -> Path | None:
    """Return the real file of `program` in an unpacked package, following links that stay inside it."""
    for name in (program, f"prometheus-{program}"):
        for folder in ("usr/bin", "bin", "usr/sbin"):
            found = (tree / folder / name).resolve()
            if found.is_file() and found.is_relative_to(tree.resolve()):
                return found
    return None


def _copy_licences(tree: Path, into: Path) -> None:
    """Keep the copyright file of each package beside its programs."""
    for copyright_file in tree.glob("usr/share/doc/*/copyright"):
        shutil.copyfile(copyright_file, into / f"copyright.{copyright_file.parent.name}")
