"""The pictures of the docs, made of a recorded run by the machine's own Chromium: `make screenshots`. Look at each."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "unit"), str(ROOT / "tests" / "e2e")]

from browser import chromium, opened  # noqa: E402
from kept_runs import kept  # noqa: E402
from replays import Replay  # noqa: E402

from lab.report.html.index import Series, write_index  # noqa: E402
from lab.report.html.report import write_report  # noqa: E402
from lab.report.terminal import TerminalStory  # noqa: E402
from lab.story import Story  # noqa: E402
from lab.web.following import Following  # noqa: E402
from lab.web.server import serving  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDE = {"width": 1280, "height": 1000}
PHONE = {"width": 390, "height": 844}
SHOTS = (
    ("report-light", "cardinality/pass", "", {"viewport": WIDE}),
    ("report-dark", "cardinality/pass", "charts", {"viewport": WIDE, "color_scheme": "dark"}),
    ("report-diff", "cardinality/pass", "diff", {"viewport": {"width": 1280, "height": 640}}),
    ("report-channel", "alert_storm/pass", "channel", {"viewport": WIDE}),
    ("report-failed", "cardinality/noop", "", {"viewport": WIDE}),
    ("report-phone", "cardinality/pass", "", {"viewport": PHONE, "device_scale_factor": 2}),
)
"""Name, recorded run, the part that is scrolled to, and the screen."""
SERIES = ("cardinality/pass", "alert_storm/pass", "label_leak/pass")


def run(folder: Path, name: str) -> Path:
    """A recorded run with its scenario beside it, as `lab run` leaves it."""
    made = kept(folder / name.partition("/")[2], name)
    shutil.copytree(ROOT / "scenarios" / name.partition("/")[0], made / "scenario")
    return made


def main() -> None:
    """Make them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, chromium() as browser:
        runs = {name: run(Path(made), name) for name in {*SERIES, *(shot[1] for shot in SHOTS)}}
        pages = {name: write_report(folder) for name, folder in runs.items()}
        for picture, name, part, screen in SHOTS:
            shoot(browser, picture, pages[name], part, screen)
        shoot_live(browser, Path(made))
        shoot_terminal()
        index = write_index(Path(made), Series(tuple(runs[name] for name in SERIES)))
        shoot(browser, "index-light", index, "", {"viewport": WIDE})


def shoot_live(browser: object, run_dir: Path) -> None:
    """The live page in the midst of a run."""
    replay = Replay("cardinality/pass", Following())
    replay.begin(run_dir)
    replay.to(40)
    with serving(replay.listener) as page, opened(browser, page.url, viewport=WIDE) as seen:
        seen.page.wait_for_selector("#chart-series canvas")
        seen.page.screenshot(path=PICTURES / "live.png")


def shoot_terminal() -> None:
    """What the terminal tells of a run from its beginning to its verdict."""
    console = Console(record=True, width=130, file=io.StringIO())
    replay = Replay("cardinality/pass", Story())
    replay.listener = TerminalStory(console, clock=lambda: replay.now)
    replay.begin(Path("runs/cardinality"))
    for half in range(int(2 * replay.stored.outcome.wall_s) + 1):
        replay.to(half / 2)
    replay.listener.end(replace(replay.stored.outcome, run_dir=""))
    console.save_svg(str(PICTURES / "terminal.svg"), title="lab run cardinality", unique_id="terminal")


def shoot(browser: object, picture: str, page: Path, part: str, screen: dict[str, object]) -> None:
    """One picture, of what stands on the screen."""
    with opened(browser, page, **screen) as seen:
        if part:
            seen.page.evaluate("part => document.getElementById(part).scrollIntoView()", part)
        seen.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert seen.errors == [], seen.errors
        seen.page.screenshot(path=PICTURES / f"{picture}.png")


if __name__ == "__main__":
    main()
