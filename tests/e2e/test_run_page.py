"""The live page in a real browser: a replayed run grows on it, words stay text, it comes back, and it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

from browser import NEEDED, opened
from kept_runs import kept
from replays import Replay
from test_html_report import HOSTILE

from lab.events import Notified
from lab.report.html.report import write_report
from lab.web.following import Following
from lab.web.server import LivePage, serving

pytestmark = NEEDED


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    found = Replay("cardinality/pass", Following())
    found.begin(tmp_path)
    return found


@pytest.fixture
def page(replay: Replay) -> Iterator[LivePage]:
    assert isinstance(replay.listener, Following)
    with serving(replay.listener) as found:
        yield found


def test_the_page_follows_and_becomes_the_report(browser: Any, replay: Replay, page: LivePage, tmp_path: Path) -> None:
    with opened(browser, page.url) as seen:
        seen.says("part-top", "starting")
        replay.to(12)
        seen.says("part-top", "steady")
        drawn = seen.page.wait_for_selector("#chart-series canvas")
        before = drawn.screenshot()
        replay.to(40)
        seen.says("part-channel", "[FIRING] MetricCardinalityExplosion")
        seen.says("part-checks", "Waiting for")
        assert seen.page.wait_for_selector("#chart-series canvas").screenshot() != before
        assert seen.page.locator("figure.chart canvas").count() == seen.page.locator("figure.chart").count() >= 8
        assert seen.errors == []
        assert set(seen.requests) == {page.url, f"{page.url}events"}
        page.finish(write_report(kept(tmp_path, "cardinality/pass")))
        seen.page.wait_for_url("**/report")
        assert "seen after 10.2 s" in seen.page.inner_text("header")
        assert seen.page.locator("#chart-series canvas").count() == 1
        assert seen.errors == []


def test_a_line_that_is_hidden_stays_hidden_while_the_chart_grows(browser: Any, replay: Replay, page: LivePage) -> None:
    replay.to(20)
    with opened(browser, page.url) as seen:
        name = seen.page.wait_for_selector("#chart-rss .u-series:nth-child(2) th")
        name.click()
        replay.to(25)
        seen.says("part-top", "25 s")
        name = seen.page.locator("#chart-rss .u-series:nth-child(2) th")
        assert name.get_attribute("aria-pressed") == "false"


def test_what_is_opened_stays_open(browser: Any, tmp_path: Path) -> None:
    storm = Replay("alert_storm/pass", Following())
    storm.begin(tmp_path)
    storm.to(110)
    assert isinstance(storm.listener, Following)
    with serving(storm.listener) as page, opened(browser, page.url) as seen:
        seen.says("part-channel", "show what was written down")
        seen.page.locator("#part-channel summary").last.click()
        before = seen.page.locator("#part-channel details[open] .message").count()
        assert before >= 3
        storm.to(139)
        more = "n => document.querySelectorAll('#part-channel details[open] .message').length > n"
        seen.page.wait_for_function(more, arg=before, timeout=10_000)


def test_hostile_text_stays_text(browser: Any, replay: Replay, page: LivePage) -> None:
    replay.to(30)
    history = replay.stored.recording.history
    for number, text in enumerate(HOSTILE):
        t = history.samples[20].t + number / 10
        history.events.insert(0, Notified(t, text, "firing", text, {text: text}, {"summary": text}))
    replay.to(31)
    with opened(browser, page.url) as seen:
        seen.says("part-channel", '"><script>alert(1)</script>')
        assert seen.page.locator("#part-channel script, #part-channel img").count() == 0
        assert seen.errors == []


def test_a_page_that_lost_its_run_says_so_and_comes_back(
    browser: Any, replay: Replay, page: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay.to(12)
    with opened(browser, page.url) as seen:
        seen.says("part-top", "steady")
        with monkeypatch.context() as broken:
            broken.setattr(page.following, "state", lost)
            seen.page.wait_for_selector("body.stale", timeout=10_000)
        replay.to(40)
        seen.says("part-top", "broken")
        assert seen.page.locator("body.stale").count() == 0
        assert seen.page.locator("#chart-series canvas").count() == 1


def lost() -> None:
    raise ConnectionResetError


def test_a_run_that_leaves_no_report_leaves_the_page(browser: Any, replay: Replay, page: LivePage) -> None:
    replay.to(40)
    with opened(browser, page.url) as seen:
        seen.says("part-top", "broken")
        page.finish(None)
        seen.page.wait_for_selector("body.stale")
        assert seen.page.url == page.url
        assert "[FIRING]" in seen.page.inner_text("#part-channel")
