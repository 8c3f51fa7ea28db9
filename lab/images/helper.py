"""A container that lives for one question to an image is registered as a run is: a sweep removes what a kill leaves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lab.images.engine import address
from lab.install.cache import cache_dir
from lab.registry import Registration


@contextmanager
def labels() -> Iterator[Mapping[str, str]]:
    """The labels of such a container, which is removed before the context ends. Raises `LabError`: no register."""
    from lab.runtime.containers import LABEL  # it imports this package

    registration = Registration(f"ask-{secrets.token_hex(6)}", cache_dir() / "images")
    try:
        registration.on_engine(address())
        yield {LABEL: registration.entry.run_id}
    except BaseException:  # such as Ctrl-C, or an engine that makes a container and can't start it
        registration.left_behind()
        raise
    finally:
        registration.remove()
