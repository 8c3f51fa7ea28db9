"""`--web`: the live page beside a run, or none. The server is imported only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.story import Several, Story

if TYPE_CHECKING:
    from rich.console import Console

    from lab.web.server import LivePage


@dataclass(frozen=True)
class Page:
    """The live page of a command; without a server it is none."""

    server: LivePage | None = None

    def beside(self, story: Story) -> Story:
        """A listener that tells the page what it tells `story`."""
        return Several([story, self.server.following]) if self.server is not None else story

    def finish(self, report: Path | None) -> None:
        """Everything is over: open pages become the report."""
        if self.server is not None:
            self.server.finish(report)


NO_PAGE = Page()


@contextmanager
def watched(wanted: bool, console: Console) -> Iterator[Page]:
    """The page for as long as the command goes on, where it is wanted; says where it is."""
    if not wanted:
        yield NO_PAGE
        return
    from lab.web.following import Following
    from lab.web.server import serving

    with serving(Following()) as server:
        console.print(f"follow it at {server.url}", highlight=False, soft_wrap=True)
        yield Page(server)
