"""The page of the stack that stays up, on live servers: a fault is switched on, fixed and off by its buttons."""

from __future__ import annotations

import re
from typing import Any

import pytest
from browser import NEEDED, opened
from stays import DOWN, Stays

pytestmark = [pytest.mark.e2e, pytest.mark.whole, NEEDED]
TOLD_MS = 30_000


def test_a_fault_goes_in_and_out_by_its_buttons(stays: Stays, browser: Any) -> None:
    from playwright.sync_api import expect

    address = re.search(r"http://127\.0\.0\.1:\d+/#\S+", stays.up())
    assert address is not None
    with opened(browser, address[0]) as seen:
        page = seen.page

        def press(what: str) -> None:
            page.get_by_role("button", name=f"missing_metrics:server_not_started: {what}", exact=True).click()

        expect(page.locator("#what")).to_have_text("healthy")
        page.wait_for_selector("#chart-series canvas")
        press("on")
        expect(page.locator("#what")).to_have_text("broken", timeout=TOLD_MS)
        expect(page.locator("#messages")).to_contain_text(f"[FIRING] {DOWN}", timeout=TOLD_MS)
        expect(page.locator("#alerts")).to_contain_text(f"firing {DOWN} at observer")
        press("fix")
        expect(page.locator("#what")).to_have_text("fixed", timeout=TOLD_MS)
        expect(page.locator("#messages")).to_contain_text(f"[RESOLVED] {DOWN}", timeout=TOLD_MS)
        press("off")
        expect(page.locator("#what")).to_have_text("healthy", timeout=TOLD_MS)
        assert seen.errors == []
    assert stays.lab("down")[0] == 0
    stays.gone()
