"""Where a run takes place: natively or in containers, decided once, with the servers found there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lab.errors import LabError, UsageError
from lab.install import Binary, find
from lab.options import Options
from lab.registry import Registration

if TYPE_CHECKING:
    from lab.images import Chosen
    from lab.runtime.protocol import Runtime


@dataclass(frozen=True)
class Servers:
    """The real servers of a run."""

    prometheus: Binary
    alertmanager: Binary
    promtool: Binary
    """Of the same build as the Prometheus; it runs on this machine."""


@dataclass(frozen=True)
class Place:
    """A runtime that was chosen, and why; `images` where it has containers."""

    name: Literal["native", "docker"]
    servers: Servers
    why: str = ""
    images: Mapping[str, Chosen] = field(default_factory=dict)

    def runtime(self, run_id: str, run_dir: Path, registration: Registration) -> Runtime:
        """The runtime of one run. Raises `EngineError` when the engine has gone meanwhile."""
        try:
            return self._runtime(run_id, run_dir, registration)
        except BaseException:
            registration.left_behind()  # nobody can close it: the next command's sweep does
            raise

    def _runtime(self, run_id: str, run_dir: Path, registration: Registration) -> Runtime:
        if self.name == "native":
            from lab.runtime.native import NativeRuntime

            return NativeRuntime(run_id, run_dir, registration)
        from lab.images import connect
        from lab.runtime.docker import DockerRuntime

        return DockerRuntime(run_id, run_dir, registration, connect(), self.images)


def decide(options: Options) -> Place:
    """Docker when it is asked for; with `auto` when an engine answers, has the images and can do it; else native.

    Raises `LabError` in one line when Docker is asked for and can't be had, or can't do what is asked.
    """
    if options.runtime == "docker":
        _refuse_only_native(options)
        return docker()
    reason = ""
    if options.runtime == "auto" and not options.only_native:
        try:
            return docker()
        except LabError as error:
            reason = str(error)
    return Place("native", _native(options), reason)


def _refuse_only_native(options: Options) -> None:
    """What is asked for and passed over would be another run, such as one of other servers. Raises `UsageError`."""
    name = options.only_native
    if name.endswith("-bin"):
        variable = f"LAB_{name.removesuffix('-bin').upper()}_IMAGE"
        raise UsageError(f"--{name}: is of the native runtime; containers take the image that {variable} names")
    if name:
        raise UsageError(f"--{name}: is of the native runtime; leave --runtime docker away")


def _native(options: Options) -> Servers:
    prometheus = find("prometheus", options.prometheus_bin)
    return Servers(prometheus, find("alertmanager", options.alertmanager_bin), find("promtool", beside=prometheus))


def docker() -> Place:
    """Containers. Raises `LabError`: no engine, or an image that is not there."""
    from lab.images import choose, connect, promtool, servers, startable

    with closing(connect()) as engine:
        images = choose(engine)
        if lacking := startable(images):
            remedy = "`lab install --images` fetches them, `lab images build` makes them here"
            raise LabError(f"no image {', '.join(lacking)}; {remedy}")
        found = servers(engine, images)
        tool = promtool(engine, images["prometheus"])
    return Place("docker", Servers(found["prometheus"], found["alertmanager"], tool), "an engine answers", images)
