"""Make the images here: the lab's own from its package and wheels, the servers' from unpacked packages.

No step of a build reaches a network: whatever goes into an image is put beside its Dockerfile first.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.images.choose import local_tag
from lab.images.engine import Engine, EngineError, told
from lab.images.helper import labels
from lab.images.names import known, whole
from lab.install import BinaryError, find
from lab.paths import compose_dir, scenarios_dir

BASE_VARIABLE = "LAB_BASE_IMAGE"
BASE = "python:3.12-bookworm"
"""Base of the images where nothing else is named; not its slim variant, which has no wget.

A base must have Python 3.11 or later with venv, and wget, which the health checks of the servers call.
"""
SERVERS = {"prometheus": ("prometheus", "promtool"), "alertmanager": ("alertmanager",), "redis": ("redis-server",)}
"""Image -> programs in it, as `lab install` finds them; Redis has its client, too."""
_ANOTHER = "name one with python3 >= 3.11 with venv, and wget, by --base or LAB_BASE_IMAGE"
_DISTRIBUTION = "monitoring-failure-lab"
_SYSTEM_LIBRARIES = re.compile(r"^(ld-linux|lib(c|m|dl|rt|pthread|resolv|util|gcc_s|stdc\+\+)\.so)")
_ASK_BASE = "import shutil, sys, venv; print('%d.%d' % sys.version_info[:2], shutil.which('wget') or '')"
_LINKED = re.compile(r"^\s*(?P<name>\S+) => (?P<path>/\S+) ", re.MULTILINE)
_MISSING = re.compile(r"No matching distribution found for (?P<name>[\w.\-]+)")
_DEFAULT_TEMPLATE = "usr/share/prometheus/alertmanager"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """An image that was made."""

    tag: str
    id: str


def build(engine: Engine, base: str, tell: Tell, *, only_tools: bool = False) -> list[Built]:
    """Make every image that can be made on `base`, or the lab's own alone. Raises `LabError`."""
    python = _python_of(engine, base, for_servers=not only_tools)
    made = [_tools(engine, base, python, tell)]
    for name, programs in () if only_tools else SERVERS.items():
        if paths := _redis(tell) if name == "redis" else [find(program).path for program in programs]:
            made.append(_server(engine, base, name, paths, tell))
    return made


def named_base(given: str | None = None) -> str:
    """The base that is named, or the pinned one."""
    return given or os.environ.get(BASE_VARIABLE) or BASE


def base_image(engine: Engine, given: str | None) -> str:
    """The base that is named, or the pinned one. Raises `LabError` when the engine does not have it."""
    base = named_base(given)
    if whole(base) not in known(engine):
        raise LabError(f"no image {base} at the engine to build on; `docker pull {base}`, or {_ANOTHER}")
    return base


@contextmanager
def _context(dockerfile: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lab-image-") as folder:
        context = Path(folder)
        shutil.copy(compose_dir() / dockerfile, context / "Dockerfile")
        yield context


def _build(engine: Engine, context: Path, base: str, name: str, tell: Tell) -> Built:
    tag = local_tag(name)
    tell(f"{tag}: building on {base}")
    from docker.errors import BuildError

    try:
        with told(tag):
            image, _ = engine.images.build(
                path=str(context), tag=tag, buildargs={"BASE": base}, network_mode="none", rm=True, forcerm=True,
                labels={"lab.image": name},
            )  # fmt: skip
    except EngineError as error:
        cause = error.__cause__
        said = "".join(str(part.get("stream", "")) for part in cause.build_log) if isinstance(cause, BuildError) else ""
        raise LabError(f"{tag}: the build failed: {' | '.join(said.strip().splitlines()[-3:]) or error}") from error
    return Built(tag, str(image.id))


# The lab's own


def _tools(engine: Engine, base: str, python: str, tell: Tell) -> Built:
    with _context("Dockerfile") as context:
        package = context / "package" / "lab"
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "_data")
        shutil.copytree(Path(__file__).resolve().parents[1], package, ignore=ignore)
        shutil.copytree(scenarios_dir(), package / "_data" / "scenarios", ignore=ignore)
        shutil.copytree(compose_dir(), package / "_data" / "compose", ignore=ignore)
        wanted = requirements()
        (context / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")
        tell(f"{local_tag('tools')}: collecting {len(wanted)} requirements as wheels")
        while True:
            _wheels(context / "wheels", wanted, python)
            try:
                return _build(engine, context, base, "tools", tell)
            except LabError as error:
                # pip downloads by the markers of the Python that runs it: what only the image's needs is added.
                missing = _MISSING.search(str(error))
                if missing is None or missing["name"] in wanted:
                    raise
                wanted.append(missing["name"])


def requirements() -> list[str]:
    """What the lab needs at run time, as its package says."""
    found = importlib.metadata.requires(_DISTRIBUTION) or []
    return [requirement for requirement in found if "extra ==" not in requirement]


def _python_of(engine: Engine, base: str, *, for_servers: bool) -> str:
    """`3.12`: the Python of a base. Raises `LabError` when it won't do: its Python, or no wget for the servers."""
    with labels() as labelled, told(f"{base}: python3"):
        said = engine.containers.run(
            base, ["-c", _ASK_BASE], entrypoint=["python3"], remove=True, network_mode="none", labels=labelled
        )
    version, *wget = str(said, "utf-8").split()
    if tuple(map(int, version.split("."))) < (3, 11):
        raise LabError(f"{base}: has Python {version}; the lab needs 3.11 or later; {_ANOTHER}")
    if for_servers and not wget:
        raise LabError(f"{base}: has no wget, which the servers' health checks call; {_ANOTHER}")
    return version


def _wheels(folder: Path, wanted: Sequence[str], python: str) -> None:
    """Wheels of all requirements for that Python, from the package index that this machine's pip is set to."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    argv += ["--only-binary=:all:", f"--python-version={python}", *wanted]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise LabError(f"the requirements could not be collected as wheels: {''.join(last)[:300]}")


# Servers


def _redis(tell: Tell) -> list[Path]:
    """Redis, and the client that its health check calls; without both there is no image, which is told."""
    try:
        server = find("redis-server").path
    except BinaryError as error:
        tell(f"no image for redis: {error}")
        return []
    beside = os.pathsep.join(str(folder) for folder in (server.parent, server.resolve().parent))
    client = shutil.which("redis-cli", path=beside) or shutil.which("redis-cli")
    if client is None:
        tell(f"no image for redis: no redis-cli, its health check, beside {server} or on PATH; install redis-tools")
        return []
    return [server, Path(client)]


def _server(engine: Engine, base: str, name: str, programs: Sequence[Path], tell: Tell) -> Built:
    with _context("Dockerfile.server") as context:
        tree = context / "tree"
        (tree / "usr" / "bin").mkdir(parents=True)
        for program in programs:
            _place(program, tree)
        return _build(engine, context, base, name, tell)


def _place(program: Path, tree: Path) -> None:
    """A program with the libraries that a base may lack, and the template that Debian's Alertmanager opens."""
    real = program.resolve()
    wrapped = real.parent / "lib" / program.name  # where a wrapper of `lab install` keeps the program itself
    if wrapped.is_file():
        real = wrapped
    name = program.name.removeprefix("prometheus-")
    shutil.copy2(real, tree / "usr" / "bin" / name)
    for path in _libraries(real):
        target = tree / "usr" / "local" / "lib" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path.resolve(), target)
    template = program.resolve().parent / "share" / "prometheus" / "alertmanager"
    for source in (template, Path("/") / _DEFAULT_TEMPLATE):
        if name == "alertmanager" and source.is_dir():
            shutil.copytree(source, tree / _DEFAULT_TEMPLATE, dirs_exist_ok=True)
            return


def _libraries(program: Path) -> list[Path]:
    """Shared libraries beside those of every base system; none for a static program."""
    beside = program.parent if program.parent.name == "lib" else program.parent / "lib"
    env = {**os.environ, "LD_LIBRARY_PATH": str(beside)}
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False, timeout=10, env=env)
    return [Path(m["path"]) for m in _LINKED.finditer(said.stdout) if not _SYSTEM_LIBRARIES.match(m["name"])]
