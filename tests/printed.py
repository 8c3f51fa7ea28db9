"""Commands as a page of the docs prints them: in indented or fenced blocks, and in code within a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LESSONS = [
    path.parent / "README.md"
    for of in ("*", "service/*")
    for path in sorted((ROOT / "scenarios").glob(f"{of}/scenario.py"))
]
PAGES = [
    *LESSONS, ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")),
]  # fmt: skip
PROGRAMS = ("lab", "make", "python", "curl", "cp", "docker", "promtool", "for", ".")
ASSIGNED = re.compile(r"[A-Z_]+=\S")
COMMENT = re.compile(r"\s+#\s.*$")
EXIT_CODE = re.compile(r"#.*\bexit code (\d)\b")
INLINE = re.compile(r"`(lab [^`\n]+?)`")


@dataclass(frozen=True)
class Printed:
    """One block of commands, or one within a sentence: where it stands, and its text."""

    page: Path
    line: int
    text: str

    @property
    def commands(self) -> list[str]:
        """Each command on one line, without its comment."""
        return [COMMENT.sub("", line).strip() for line in self._lines]

    @property
    def codes(self) -> list[int]:
        """The exit code that the comment of each command tells; 0 where it tells none."""
        told = [EXIT_CODE.search(line) for line in self._lines]
        return [int(found[1]) if found else 0 for found in told]

    @property
    def _lines(self) -> list[str]:
        joined = re.sub(r"\\\n\s*", " ", self.text)
        return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name}:{self.line}"


def printed(page: Path) -> list[Printed]:
    """Everything that a page prints to be typed, in its order."""
    text = page.read_text(encoding="utf-8")
    return sorted([*_blocks(page, text), *_inline(page, text)], key=lambda found: found.line)


def _inline(page: Path, text: str) -> Iterator[Printed]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("    "):
            yield from (Printed(page, number, found.replace("\\|", "|")) for found in INLINE.findall(line))


def _blocks(page: Path, text: str) -> Iterator[Printed]:
    """Blocks whose first line begins with a program; others are files and what programs said."""
    lines = [*text.splitlines(), ""]
    start, fenced = None, False
    for number, line in enumerate(lines):
        if line.startswith("```"):
            fenced, inside = not fenced, False
        else:
            inside = fenced or line.startswith("    ")
        if inside and start is None:
            start = number
        elif not inside and start is not None:
            block = "\n".join(lines[start:number])
            if _is_command(lines[start]):
                yield Printed(page, start + 1, block)
            start = None


def _is_command(line: str) -> bool:
    first = line.split()[0] if line.split() else ""
    return first in PROGRAMS or bool(ASSIGNED.match(line.strip()))
