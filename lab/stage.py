"""`lab run --stage`: what is said and shown at each stop: a paragraph of the lesson, commands, URLs. Pure.

A scenario has what is worth showing in `stage.yml`: for a phase a list of commands, with {prometheus} and the other
services in place of their URLs. They are shown at the stop before the phase, to be typed in a second terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.catalog import Found
from lab.errors import ScenarioError
from lab.lesson import lesson_text
from lab.scenario import Phase

FILE = "stage.yml"
SECTIONS = {Phase.STEADY: "", Phase.BROKEN: "Mechanism", Phase.FIXED: "Fix"}
"""Before which phase which section of the lesson is begun; the one without a name is the lesson's first words."""
PLACES = ("rag", "prometheus", "observer", "alertmanager", "receiver", "host")
"""Services whose URL a command may have."""


@dataclass(frozen=True)
class Stop:
    """What is on the wall before a phase begins."""

    phase: Phase
    text: str
    commands: tuple[str, ...]

    def shown(self, urls: Mapping[str, str]) -> list[str]:
        """The commands, with the URLs of services in them; before there are any, those that need none."""
        known = {f"{{{name}}}": url.rstrip("/") for name, url in urls.items()}
        filled = (re.sub("|".join(map(re.escape, known)) or "$^", lambda m: known[m[0]], c) for c in self.commands)
        return [command for command in filled if not any(f"{{{name}}}" in command for name in PLACES)]


def stops(found: Found) -> dict[Phase, Stop]:
    """The stops of a scenario. Raises `ScenarioError` where its lesson or its `stage.yml` can't be read."""
    lesson, more, label = lesson_text(found.folder), _more(found.folder / FILE), found.scenario.label
    own = str(found.folder) if not found.bundled else label
    first = {Phase.STEADY: (f"lab show {own}",), Phase.BROKEN: (f"lab show {own} --diff",)}
    return {
        phase: Stop(phase, paragraph(lesson, section), (*first.get(phase, ()), *more.get(phase, ())))
        for phase, section in SECTIONS.items()
    }


def paragraph(lesson: str, section: str) -> str:
    """A section's first paragraph on one line, with the block below it where it ends in a colon; empty without one."""
    _, _, rest = lesson.partition(f"\n## {section}\n" if section else "\n")
    blocks = [block.strip("\n") for block in re.split(r"\n[ \t]*\n", re.split(r"^## ", rest, flags=re.MULTILINE)[0])]
    blocks = [block for block in blocks if block.strip()]
    at = next((n for n, block in enumerate(blocks) if not block.startswith(("    ", "|", "- ", "#"))), None)
    if at is None:
        return ""
    text = " ".join(blocks[at].split())
    below = blocks[at + 1] if at + 1 < len(blocks) else ""
    return f"{text}\n\n{below}" if text.endswith(":") and below.startswith("    ") else text


def _more(path: Path) -> dict[Phase, tuple[str, ...]]:
    """The commands of `stage.yml`."""
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        told = {Phase(phase): _commands(commands) for phase, commands in found.items()}
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        why = str(error).splitlines()[0]
        raise ScenarioError(f"{path}: {why}; it has lists of commands for phases: {', '.join(Phase)}") from error
    return told


def _commands(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise TypeError("commands are a list of texts (quote one that has a colon in it)")
    return tuple(found)
