"""The machine's own Chromium, headless, for tests that look at a page as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
NEEDED = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)")


@dataclass
class Seen:
    """What a page did while it was looked at."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def says(self, part: str, what: str, timeout_ms: int = 30_000) -> None:
        """Wait until a part of the page says it, in small letters or large."""
        self.page.wait_for_function(
            "([part, what]) => document.getElementById(part)?.innerText.toLowerCase().includes(what.toLowerCase())",
            arg=[part, what],
            timeout=timeout_ms,
        )


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. It runs as whoever runs the tests: as root it has no sandbox of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, url: str | Path, **how: Any) -> Iterator[Seen]:
    """A page with everything that it says and asks for written down. `how`: `color_scheme`, `viewport` ..."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
    try:
        seen = Seen(context.new_page())
        seen.page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(f"file://{url}" if isinstance(url, Path) else url)
        yield seen
    finally:
        context.close()
