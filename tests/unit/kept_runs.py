"""Folders of runs as `lab run` leaves them, made of recorded journals; and a page read as a browser reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).resolve().parent.parent / "recorded"

Records = list[dict[str, Any]]


def kept(folder: Path, name: str, change: Callable[[Records], Records] | None = None) -> Path:
    """The folder of a run with the recorded journal `name`, changed."""
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    run = folder / name.partition("/")[0] / "20260102T030405Z"
    run.mkdir(parents=True)
    changed = change(records) if change else records
    (run / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in changed))
    return run


@dataclass
class Page(HTMLParser):
    """What a page has: its text by the id of the section, the attributes of its elements, its scripts."""

    html: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    text: str = ""
    _in: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._in = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts[-1] += data
        elif self._in != "style":
            self.text += data

    def with_class(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Elements that have the class."""
        return [(tag, attrs) for tag, attrs in self.elements if name in attrs.get("class", "").split()]

    @property
    def data(self) -> dict[str, Any]:
        """What the charts are drawn from."""
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found
