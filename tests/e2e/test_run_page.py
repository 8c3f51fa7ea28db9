"""The live page in a real browser: a replayed run grows on it, words stay text, it comes back, and it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
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

pytestmark = [NEEDED, pytest.mark.beside]


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


GUARDS = "#part-checks details.held summary"
EVENTS = "#part-timeline .scroll"
WATCH = """() => {
  window.said = []; window.told = 0;
  new MutationObserver(() => window.said.push(document.querySelector("[aria-live]").textContent))
    .observe(document.querySelector("[aria-live]"), { childList: true, characterData: true, subtree: true });
  new MutationObserver(() => { window.told += 1; })
    .observe(document.getElementById("part-top"), { childList: true, characterData: true, subtree: true });
}"""
"""Writes down what is said aloud, and counts the states that changed what is seen."""


def several_states(seen: Any, replay: Replay, seconds: range) -> None:
    """The run goes on, and the page is told of each of these moments."""
    for second in seconds:
        replay.to(second)
        seen.says("part-top", f"in the run\n{second} s")


def hold_guards(replay: Replay) -> None:
    """The guards of the phase have held, and are folded away."""
    for result in replay.stored.outcome.judgement.phases[0].results:
        if result.guard:
            replay.listener.settled(SimpleNamespace(name=result.name), result)  # type: ignore[arg-type]


@pytest.mark.parametrize("holder", [GUARDS, EVENTS])
def test_what_has_the_focus_keeps_it_while_the_page_grows(
    holder: str, browser: Any, replay: Replay, page: LivePage
) -> None:
    replay.to(10)
    hold_guards(replay)
    replay.to(20)
    with opened(browser, page.url) as seen:
        seen.page.wait_for_selector(holder).focus()
        seen.page.evaluate("window.holder = document.activeElement")
        several_states(seen, replay, range(21, 24))
        assert seen.page.evaluate("holder => document.activeElement?.matches(holder)", holder)
        assert seen.page.evaluate("document.activeElement === window.holder")  # else it would be read aloud again
        assert seen.errors == []


def test_what_is_unfolded_by_keyboard_stays_so(browser: Any, replay: Replay, page: LivePage) -> None:
    replay.to(10)
    hold_guards(replay)
    with opened(browser, page.url) as seen:
        seen.page.wait_for_selector(GUARDS).press("Enter")
        several_states(seen, replay, range(20, 22))
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_selector("#part-checks details.held:not([open])")


def test_what_had_to_be_replaced_is_as_it_was(
    browser: Any, replay: Replay, page: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something new stands before it, so that its place is another's."""
    replay.to(10)
    hold_guards(replay)
    replay.to(20)
    with opened(browser, page.url) as seen:
        seen.page.add_style_tag(content="#part-checks .scroll { width: 80px }")
        seen.page.wait_for_selector(GUARDS).press("Enter")
        seen.page.locator("#part-checks .scroll").first.evaluate("region => { region.scrollLeft = 30; }")
        seen.page.evaluate("window.holder = document.activeElement; scrollTo(0, 0)")
        state = page.following.state
        monkeypatch.setattr(page.following, "state", lambda: with_news(state()))
        seen.says("part-checks", "news")
        assert not seen.page.evaluate("window.holder.isConnected")
        assert seen.page.evaluate("guards => document.activeElement?.matches(guards)", GUARDS)
        assert seen.page.locator("#part-checks details.held[open]").count() == 1
        assert seen.page.locator("#part-checks .scroll").first.evaluate("region => region.scrollLeft") == 30
        assert seen.page.evaluate("scrollY") == 0


def with_news(state: dict[str, Any]) -> dict[str, Any]:
    """A state whose checks begin with something else."""
    return {**state, "parts": {**state["parts"], "checks": f"<p>news</p>{state['parts']['checks']}"}}


def test_the_focus_stays_in_charts_that_are_drawn_anew(
    browser: Any, replay: Replay, page: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are where a line is new, or the run another."""
    replay.to(20)
    with opened(browser, page.url) as seen:
        seen.page.wait_for_selector("#chart-rss .u-series:nth-child(2) th").focus()
        seen.page.evaluate("window.holder = document.activeElement; scrollTo(0, 0)")
        state = page.following.state
        monkeypatch.setattr(page.following, "state", lambda: {**state(), "run": "another"})
        seen.page.wait_for_function("() => !window.holder.isConnected && document.activeElement?.localName === 'th'")
        assert seen.page.evaluate("document.activeElement.closest('figure').id") == "chart-rss"
        assert seen.page.evaluate("scrollY") == 0


def test_what_is_scrolled_stays_there(browser: Any, replay: Replay, page: LivePage) -> None:
    replay.to(30)
    with opened(browser, page.url, viewport={"width": 300, "height": 844}) as seen:
        seen.page.wait_for_selector(EVENTS).evaluate("region => { region.scrollLeft = 25; }")
        several_states(seen, replay, range(31, 34))
        assert seen.page.locator(EVENTS).evaluate("region => region.scrollLeft") == 25


def test_what_is_said_aloud_is_little(browser: Any, replay: Replay, page: LivePage) -> None:
    """A screen reader reads what changes there; it is not to talk all the time."""
    replay.to(12)
    with opened(browser, page.url) as seen:
        seen.says("part-top", "steady")
        assert seen.page.locator("[aria-live]").count() == 1
        assert seen.page.locator("[aria-live]").text_content() == "steady: alert inactive"
        replay.to(17)
        seen.says("said", "broken: alert pending")
        seen.page.evaluate(WATCH)
        several_states(seen, replay, range(18, 22))
        assert seen.page.evaluate("window.said") == []
        assert seen.page.evaluate("window.told") >= 4
        several_states(seen, replay, range(30, 31))
        assert seen.page.evaluate("window.said") == ["broken: alert firing"]


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
