"""An image goes by several names: what somebody writes, and what the engine lists, are compared as one spelling."""

from __future__ import annotations

from collections.abc import Mapping

from lab.images.engine import Engine, told


def known(engine: Engine) -> Mapping[str, str]:
    """The id of every image the engine has, by each of its names: tags, digests, and the id itself."""
    with told("the engine's images"):
        return {
            whole(name): image.id
            for image in engine.images.list()
            for name in (*image.tags, *(image.attrs.get("RepoDigests") or ()), image.id)
        }


def whole(name: str) -> str:
    """The one spelling: a tag, which is `latest` where none is written; beside a digest the tag says nothing."""
    path, at, digest = name.removeprefix("docker.io/").removeprefix("library/").partition("@")
    folder, slash, last = path.rpartition("/")  # the colon of a registry's port is no tag's
    untagged, colon, tag = last.partition(":")
    if at:
        return f"{folder}{slash}{untagged}@{digest}"
    return f"{folder}{slash}{untagged}:{tag if colon else 'latest'}"
