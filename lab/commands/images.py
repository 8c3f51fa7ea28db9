"""`lab images list|env|build` and `lab install --images`: what the containers are made from."""

from __future__ import annotations

import json
from contextlib import closing

import click

from lab.errors import LabError
from lab.images import Chosen, choose, connect


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
    """Fetch the pinned images that are not there, so that a run needs no network. Raises `LabError`."""
    from lab.images.build import base_image, build

    with closing(connect()) as engine:
        refused = [line for one in _absent(choose(engine)) if (line := _pull(engine, one))]
        if not choose(engine)["rag"].present:
            build(engine, base_image(engine, None), lambda line: click.echo(line, err=True), only_tools=True)
    if refused:
        raise LabError(f"{'; '.join(refused)}; `lab images build` makes images here")


def _absent(chosen: dict[str, Chosen]) -> list[Chosen]:
    """The images to fetch, each once; the lab's own is never fetched."""
    found = {c.image: c for c in chosen.values() if not c.present and c.variable != chosen["rag"].variable}
    return list(found.values())


def _pull(engine: object, one: Chosen) -> str:
    """Fetch one; in words why it can't be had, else nothing."""
    from lab.images.engine import EngineError, told

    click.echo(f"fetching {one.image}", err=True)
    try:
        with told(one.image):
            engine.images.pull(one.image)  # type: ignore[attr-defined]
    except EngineError as error:
        return str(error)
    return ""
