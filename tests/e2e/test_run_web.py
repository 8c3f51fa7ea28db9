"""`lab run --web` on live servers: a page opened while the run goes follows it, and is its report in the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import NEEDED, opened
from lab_run import LAB

pytestmark = [pytest.mark.e2e, pytest.mark.whole, NEEDED]
SLOW_MS = 90_000


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*LAB, "run", "missing_metrics", "--web", "--out", str(tmp_path / "runs"), "--json", str(tmp_path / "o.json")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LAB_STATE_DIR": str(tmp_path / "state")},
    )
    yield process
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=60)


def url_of(run: subprocess.Popen[str]) -> str:
    """What it prints where it begins; the rest of its lines is read by `communicate`."""
    assert run.stderr is not None
    for line in run.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return found[0]
    raise AssertionError("no address was told")


def test_a_live_run_is_followed_to_its_report(run: subprocess.Popen[str], browser: Any, tmp_path: Path) -> None:
    url = url_of(run)
    with opened(browser, url) as seen:
        seen.says("part-top", "steady", SLOW_MS)
        calm = seen.page.wait_for_selector("#chart-rate canvas, #chart-series canvas", timeout=SLOW_MS).screenshot()
        seen.says("part-top", "broken", SLOW_MS)
        seen.says("part-channel", "[FIRING] TargetDown", SLOW_MS)
        assert seen.page.wait_for_selector("#chart-rate canvas, #chart-series canvas").screenshot() != calm
        seen.says("part-top", "fixed", SLOW_MS)
        seen.says("part-channel", "[RESOLVED] TargetDown", SLOW_MS)
        seen.page.wait_for_url("**/report", timeout=SLOW_MS)
        said = seen.page.inner_text("header .verdict").lower()
        assert seen.errors == []
        assert all(asked.startswith((url, "data:")) for asked in seen.requests)
    code = run.wait(60)
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert outcome["verdict"] == said
    assert code == outcome["exit_code"] == 0
