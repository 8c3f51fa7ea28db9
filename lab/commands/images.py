"""`lab images list|env|build` and `lab install --images`: what the containers are made from."""

from __future__ import annotations

import json
from contextlib import closing

import click

from lab.errors import LabError
from lab.images import Chosen, Engine, choose, connect
from lab.images.engine import EngineError, told
from lab.images.names import known, whole

_ALL_ELSE = "all else works without it"


def list_command(as_json: bool) -> int:
    """Print which image each service gets and why; 3 when one that a run needs is missing."""
    from lab.images import startable

    with closing(connect()) as engine:
        chosen = choose(engine)
    if as_json:
        told = {name: {"image": c.image, "why": c.why, "present": c.present} for name, c in chosen.items()}
        click.echo(json.dumps(told, indent=2))
    else:
        for name, one in chosen.items():
            click.echo(f"{'ok ' if one.present else '-- '} {name:13} {one.image}: {one.why}")
    return 3 if startable(chosen) else 0


def env_command() -> None:
    """Print the variables that let compose.yaml use the images that are there."""
    with closing(connect()) as engine:
        chosen = choose(engine)
    for variable, image in sorted({(c.variable, c.image) for c in chosen.values() if c.present}):
        click.echo(f"export {variable}={image}")


def build_command(base: str | None) -> None:
    """Make the images here."""
    from lab.images.build import base_image, build

    with closing(connect()) as engine:
        made = build(engine, base_image(engine, base), lambda line: click.echo(line, err=True))
    for one in made:
        click.echo(f"{one.tag} {one.id[7:19]}")


def fetch_images() -> None:
    """Fetch the pinned images that are not there, so that a run needs no network. Raises `LabError`: any refused."""
    with closing(connect()) as engine:
        chosen = choose(engine)
        refused = _fetch(engine, _absent(chosen))
        if not chosen["rag"].present and (why := _make_own(engine)):
            refused.append(why)
    if refused:
        raise LabError("; ".join(refused))


def _fetch(engine: Engine, absent: list[Chosen]) -> list[str]:
    """Fetch the images; why any can't be had, and the remedy."""
    refused = [(one, why) for one in absent if (why := _pull(engine, one.image))]
    remedy = "`lab images build` makes images here" if any(one.made_here for one, _ in refused) else _ALL_ELSE
    return [*(why for _, why in refused), remedy] if refused else []


def _make_own(engine: Engine) -> str:
    """Make the lab's own image, which no registry has, on a base that is fetched where it is not there.

    In words why it can't be made, else nothing: an image that was refused before is to be told, too.
    """
    from lab.images.build import build, named_base

    base = named_base()
    if whole(base) not in known(engine) and (why := _pull(engine, base)):
        return f"{why}, to build the lab's own image on; LAB_BASE_IMAGE names another base"
    try:
        build(engine, base, lambda line: click.echo(line, err=True), only_tools=True)
    except LabError as error:
        return str(error)
    return ""


def _absent(chosen: dict[str, Chosen]) -> list[Chosen]:
    """The images to fetch, each once; the lab's own is never fetched."""
    found = {c.image: c for c in chosen.values() if not c.present and c.variable != chosen["rag"].variable}
    return list(found.values())


def _pull(engine: Engine, image: str) -> str:
    """Fetch one; in words why it can't be had, else nothing."""
    click.echo(f"fetching {image}", err=True)
    try:
        with told(image):
            engine.images.pull(image)
    except EngineError as error:
        return str(error)
    return ""
