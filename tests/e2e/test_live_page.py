"""The live page in a real browser: it follows, it switches, it comes back; and what is told stays text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from browser import NEEDED
from playwright.sync_api import Browser, Page, Request, expect
from waiting import until

from lab import signals
from lab.classroom.control import ControlServer
from lab.classroom.live import Offer
from lab.classroom.recent import Recent, Watched
from lab.classroom.status import AlertStatus, FaultStatus, Happened, ServiceStatus, Status, Told, Turn
from lab.errors import UsageError
from lab.history import Sample

pytestmark = [pytest.mark.e2e, NEEDED, pytest.mark.beside]
expect.set_options(timeout=30_000)
HOSTILE = '"><script>alert(1)</script></script><img src=x onerror=alert(1)>\u202e\x1b[31m'
CALM = Status(
    made_for="", runtime="native", speed=15, seed=1, users=100, since=0, run_dir="/x",
    services=(ServiceStatus("rag", True, "http://127.0.0.1:1/"),), metrics_url="", requests_per_s=299.0, fault=None,
    alerts=(), silent=(), notifications=(), happened=(),
)  # fmt: skip


class FakeOwner:
    """An owner whose stack is what the test says."""

    def __init__(self) -> None:
        # Of this moment: a module is imported long before its tests run, and a turn has to fall among the samples.
        self.since = time.time() - 60
        self.says = replace(CALM, since=self.since)
        self.recent = Recent(Watched(()))
        self.turns = [Turn(self.since, "healthy", "")]
        self.asked: list[tuple[str, str, str]] = []
        self.refuses, self.breaks = "", False
        for second in range(60):
            self.look(self.since + second, 100.0 * second)

    def look(self, t: float, series: float) -> None:
        self.recent.record(Sample(t, {signals.HEAD_SERIES: series, signals.rss("rag"): 2.0**27}))

    def offers(self) -> list[Offer]:
        return [
            Offer("leak", "first", "leak:first", "It leaks", ""),
            Offer("leak", "second", "leak:second", "It leaks otherwise", ""),
            Offer("past", "default", "past", "It is slow", "a past"),
        ]

    def status(self) -> Status:
        if self.breaks:
            raise RuntimeError("the stream of the page ends here")
        return self.says

    def switch(self, target: str, variant: str, switch: str) -> str:
        self.asked.append((target, variant, switch))
        if self.refuses:
            raise UsageError(self.refuses)
        what = {"on": "broken", "fix": "fixed", "off": "healthy"}[switch]
        label = f"{target}:{variant}"
        self.turns.append(Turn(time.time() - 20, what, label))
        fault = FaultStatus(label, what, time.time(), ("metrics.py",))
        self.says = replace(self.says, fault=None if what == "healthy" else fault)
        return f"{label}: live is {what}"


class Opened:
    """The page, open in a browser; everything that it complained of or asked for."""

    def __init__(self, page: Page, server: ControlServer) -> None:
        self.page, self.url = page, f"http://{server.control.address}/"
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.errors.append("a dialog"), dialog.dismiss()))
        page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def owner() -> FakeOwner:
    return FakeOwner()


@pytest.fixture
def server(owner: FakeOwner) -> Iterator[ControlServer]:
    found = ControlServer(owner, lambda: None)  # type: ignore[arg-type]
    found.start()
    yield found
    found.stop()


@pytest.fixture
def opened(browser: Browser, server: ControlServer) -> Iterator[Opened]:
    page = browser.new_page()
    found = Opened(page, server)
    page.goto(f"{found.url}#{server.control.token}")
    expect(page.locator("#what")).not_to_have_text("connecting")
    yield found
    page.close()


BLANK = """canvas => { const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(d.buffer)).size }"""


def colours(opened: Opened, chart: str) -> int:
    """How many colours its canvas has; one that is blank has one."""
    return int(opened.page.locator(f"#chart-{chart} canvas").evaluate(BLANK))


def drawn(opened: Opened) -> str:
    """The pixels of the first chart, once it has lines."""
    until(lambda: colours(opened, "series") > 5, 30, "the chart has lines")
    return str(opened.page.locator("#chart-series canvas").evaluate("canvas => canvas.toDataURL()"))


def test_charts_draw_and_grow_and_nothing_leaves_the_machine(opened: Opened, owner: FakeOwner) -> None:
    page = opened.page
    expect(page.locator("#charts figure")).to_have_count(2)
    before = drawn(opened)
    owner.look(time.time(), 50_000.0)
    until(lambda: drawn(opened) != before, 30, "it grows")
    owner.look(time.time() + 1, 1.0)
    assert opened.errors == []
    assert {url for url in opened.requests if not url.startswith((opened.url, "data:"))} == set()


def test_a_notification_stands_in_the_charts(opened: Opened, owner: FakeOwner) -> None:
    before = drawn(opened)
    owner.says = replace(owner.says, notifications=(Told(owner.since + 30, "firing", "Growth", "console", "It grows"),))
    until(lambda: drawn(opened) != before, 30, "people were told")


def test_a_name_in_the_legend_hides_its_line(opened: Opened) -> None:
    before = drawn(opened)
    opened.page.locator("#chart-series .u-legend th", has_text="patient").click()
    until(lambda: drawn(opened) != before, 30, "it is gone")


def test_a_fault_is_switched_from_the_page(opened: Opened, owner: FakeOwner) -> None:
    page = opened.page
    expect(opened.button("leak:first: fix")).to_be_disabled()
    expect(opened.button("past: on")).to_be_disabled()
    expect(page.locator("#faults")).to_contain_text("needs a past: lab up past")
    before = drawn(opened)
    opened.button("leak:first: on").click()
    expect(page.locator("#said")).to_have_text("leak:first: live is broken")
    until(lambda: drawn(opened) != before, 30, "what is live is shaded")
    expect(page.locator("#what")).to_have_text("broken")
    expect(page.locator("#title")).to_have_text("leak:first")
    expect(opened.button("leak:first: on")).to_have_attribute("aria-pressed", "true")
    expect(opened.button("leak:second: on")).to_be_disabled()
    expect(page.locator("#masthead")).to_have_class("masthead fail")
    opened.button("leak:first: fix").press("Enter")
    expect(page.locator("#what")).to_have_text("fixed")
    opened.button("leak:first: off").click()
    expect(page.locator("#what")).to_have_text("healthy")
    assert owner.asked == [("leak", "first", "on"), ("leak", "first", "fix"), ("leak", "first", "off")]
    assert opened.errors == []


def test_what_is_refused_is_told(opened: Opened, owner: FakeOwner) -> None:
    owner.refuses = "not now"
    opened.button("leak:first: on").click()
    expect(opened.page.locator("#said")).to_have_text("not now")
    expect(opened.page.locator("#said")).to_have_class("said refused")


def test_what_is_told_stays_text(opened: Opened, owner: FakeOwner) -> None:
    owner.says = replace(
        owner.says,
        fault=FaultStatus(HOSTILE, "broken", 1.0, ()),
        services=(ServiceStatus(HOSTILE, True, "javascript:alert(1)"),),
        alerts=(AlertStatus(HOSTILE, "firing", HOSTILE),),
        silent=(HOSTILE,),
        notifications=(Told(1.0, "firing", HOSTILE, HOSTILE, HOSTILE),),
        happened=(Happened(1.0, HOSTILE),),
    )
    owner.recent.record(Sample(time.time(), {signals.rss(HOSTILE): 1.0, signals.HEAD_SERIES: 1.0}))
    page = opened.page
    for place in ("#title", "#alerts .firing", "#messages .headline", "#services", "#happened"):
        expect(page.locator(place)).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#chart-rss .u-legend")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert page.locator('[href^="javascript"]').count() == 0
    assert opened.errors == []


def test_it_comes_back_by_itself(opened: Opened, owner: FakeOwner) -> None:
    page = opened.page
    expect(page.locator("#charts figure")).to_have_count(2)
    owner.breaks = True
    expect(page.locator("#what")).to_have_text("no answer")
    expect(page.locator("#main")).to_have_class("stale")
    owner.breaks = False
    expect(page.locator("#what")).to_have_text("healthy")
    expect(page.locator("#main")).not_to_have_class("stale")
    expect(page.locator("#charts figure")).to_have_count(2)


@pytest.mark.parametrize(("token", "what"), [("", "no token"), ("wrong", "refused")])
def test_without_the_token_nothing_is_told(token: str, what: str, browser: Browser, server: ControlServer) -> None:
    page = browser.new_page()
    page.goto(f"http://{server.control.address}/#{token}")
    expect(page.locator("#what")).to_have_text(what)
    expect(page.locator("#faults li")).to_have_count(0)
    page.close()


def test_it_fits_a_phone_in_the_dark(browser: Browser, server: ControlServer) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.goto(f"http://{server.control.address}/#{server.control.token}")
    expect(page.locator("#charts figure")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
