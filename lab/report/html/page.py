"""How a page is made: templates that escape, text that is made harmless, and everything inlined in one file."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lab.text import clean

VENDOR = "vendor/uplot"


def _harmless(value: Any) -> Any:
    """Every text that a template prints, without characters that turn the writing around or move a cursor."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value.expandtabs(4))
    return value


@cache
def environment() -> Environment:
    """Templates of `lab/report/templates`: autoescape is on, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("lab.report", "templates"), autoescape=True, undefined=StrictUndefined,
        finalize=_harmless, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["clock"] = lambda t: time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(t))
    made.filters["seconds"] = lambda s: "–" if s is None else f"{s:.1f} s"
    made.filters["signed"] = lambda s: "" if s is None else f"{s:+.1f} s"
    return made


SCRIPTS = (f"{VENDOR}/uPlot.iife.min.js", "templates/report.js")
LIVE_SCRIPTS = (*SCRIPTS, "templates/live.js")
STYLES = (f"{VENDOR}/uPlot.min.css", "templates/report.css")


def policy(scripts: tuple[str, ...] = SCRIPTS, more: str = "") -> str:
    """The Content-Security-Policy: scripts may run by their hash alone, and nothing may be fetched but `more`."""
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"script-src {' '.join(_hash(_file(name)) for name in scripts)}{more}"
    )


def render(template: str, **values: Any) -> str:
    """A whole page that needs no network."""
    return _whole(template, SCRIPTS, policy(), **values)


def live_page() -> str:
    """The frame of the page that follows a run; it asks where it came from, and nobody else."""
    return _whole("live.html", LIVE_SCRIPTS, live_policy())


def live_policy() -> str:
    """Its policy."""
    return policy(LIVE_SCRIPTS, "; connect-src 'self'")


def part(template: str, **values: Any) -> str:
    """A part of a page, for one that follows a run."""
    return environment().get_template(template).render(**values)


def _whole(template: str, scripts: tuple[str, ...], allowed: str, **values: Any) -> str:
    return (
        environment()
        .get_template(template)
        .render(
            **values,
            scripts=[Markup(_file(name)) for name in scripts],  # noqa: S704 - the lab's own files
            styles=[Markup(_file(name)) for name in STYLES],  # noqa: S704
            licence=Markup(_file(f"{VENDOR}/LICENSE")),  # noqa: S704
            policy=allowed,
        )
    )


def embedded(value: Any) -> Markup:
    """JSON for a <script> that is data: nothing in it can end the element or begin markup. Numbers must be finite."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _file(name: str) -> str:
    return files("lab.report").joinpath(name).read_text(encoding="utf-8")
