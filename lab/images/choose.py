"""Which image a service gets, and why: the variable's, the pinned one, or the one that was made here."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.compose import Compose, ComposeService, load
from lab.errors import UsageError
from lab.images.engine import Engine, EngineError, told
from lab.images.helper import labels
from lab.images.names import known, whole
from lab.install import Binary, find
from lab.install.cache import cache_dir
from lab.install.catalog import PROGRAMS
from lab.install.probe import parse_flags, parse_version

LOCAL = "local"
NEEDED = ("rag", "prometheus", "alertmanager")
"""Services whose images a run needs; the other services share them."""
SERVERS = ("prometheus", "alertmanager")
MADE = ("tools", "prometheus", "alertmanager", "redis")
"""Images that `lab images build` makes; Grafana's is none of them."""


@dataclass(frozen=True)
class Chosen:
    """An image for a service; `id` is empty when the engine does not have it."""

    service: str
    variable: str
    image: str
    why: str
    id: str

    @property
    def present(self) -> bool:
        """Whether a container can be started from it now."""
        return bool(self.id)

    @property
    def made_here(self) -> bool:
        """Whether `lab images build` makes such an image."""
        return _kind(self.variable) in MADE


def local_tag(service: str) -> str:
    """What `lab images build` calls the image of a service."""
    return f"lab-{service}:{LOCAL}"


def choose(engine: Engine, compose: Compose | None = None) -> dict[str, Chosen]:
    """The image of every service, from the variable, else as pinned, else as made here."""
    compose = compose or load()
    ids = known(engine)
    return {service.name: _choose(service, ids) for service in compose.services.values()}


def _choose(service: ComposeService, ids: Mapping[str, str]) -> Chosen:
    def chosen(image: str, why: str) -> Chosen:
        return Chosen(service.name, service.image_variable, image, why, ids.get(whole(image), ""))

    if os.environ.get(service.image_variable):
        return chosen(service.image, f"{service.image_variable} names it")
    if whole(service.image) in ids:
        return chosen(service.image, "as compose.yaml pins it")
    kind = _kind(service.image_variable)
    if local_tag(kind) in ids:
        return chosen(local_tag(kind), "made here by `lab images build`; the pinned one is not there")
    other = ", `lab images build` makes one" if kind in MADE else "; all else works without it"
    return chosen(service.image, f"not there; `lab install --images` fetches it{other}")


def _kind(variable: str) -> str:
    """`prometheus` of `LAB_PROMETHEUS_IMAGE`: whoever shares a service's variable shares its image."""
    return variable.removeprefix("LAB_").removesuffix("_IMAGE").lower()


def startable(chosen: Mapping[str, Chosen]) -> list[str]:
    """The images that a run needs and the engine lacks; empty: a run can be started."""
    return sorted({chosen[name].image for name in NEEDED if not chosen[name].present})


def servers(engine: Engine, chosen: Mapping[str, Chosen]) -> dict[str, Binary]:
    """The servers inside the images: version and flags, asked once for each image."""
    return {name: _probe(engine, name, chosen[name]) for name in SERVERS}


def _probe(engine: Engine, name: str, image: Chosen) -> Binary:
    kept = _kept(image) / f"{name}.json"
    try:
        said = json.loads(kept.read_text(encoding="utf-8"))
        version, help_text = str(said["version"]), str(said["help"])
    except (OSError, ValueError, KeyError, TypeError):
        version, help_text = _ask(engine, image, name, "--version"), _ask(engine, image, name, "--help")
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"version": version, "help": help_text}), encoding="utf-8")
    found = PROGRAMS[name].introduces.search(version)
    if found is None:
        raise EngineError(
            f"{image.image}: /bin/{name} --version says no version; set {image.variable} to another image"
        )
    text = found["version"]
    return Binary(name, Path(f"/bin/{name}"), parse_version(text), text, "image", parse_flags(help_text))


def _kept(image: Chosen) -> Path:
    """The folder of the cache for what is known of an image."""
    return cache_dir() / "images" / hashlib.sha256(image.id.encode()).hexdigest()[:32]


def _ask(engine: Engine, image: Chosen, program: str, flag: str) -> str:
    with labels() as labelled, told(f"{image.image}: {program} {flag}"):
        said = engine.containers.run(
            image.id, [flag], entrypoint=[f"/bin/{program}"], remove=True, network_mode="none",
            stdout=True, stderr=True, cap_drop=["ALL"], read_only=True, labels=labelled,
        )  # fmt: skip
    return str(said, "utf-8", "replace")


def promtool(engine: Engine, image: Chosen) -> Binary:
    """The promtool of the Prometheus image, copied out of it once; where it can't run here, the one on PATH."""
    path = _kept(image) / "promtool"
    if not path.exists():
        _copy_out(engine, image, "/bin/promtool", path)
    try:
        return find("promtool", path)
    except UsageError:  # built for another machine, as on macOS
        return find("promtool")


def _copy_out(engine: Engine, image: Chosen, inside: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with labels() as labelled, told(f"{image.image}: {inside}"):
        container = engine.containers.create(image.id, ["never-started"], labels=labelled)
        try:
            stream, _ = container.get_archive(inside)
            packed = io.BytesIO(b"".join(stream))
        finally:
            container.remove(force=True)
    with tarfile.open(fileobj=packed) as tar:
        member = next(one for one in tar.getmembers() if one.isfile())
        content = tar.extractfile(member)
        assert content is not None
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(content.read())
    temporary.chmod(0o755)
    temporary.replace(path)
