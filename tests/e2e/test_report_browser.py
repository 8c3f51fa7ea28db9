"""The report in a real browser: its charts are drawn, its names are switches, and it asks nobody for anything."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

from browser import NEEDED, Seen, opened
from kept_runs import Records, kept
from test_html_report import HOSTILE, hostile

from lab.report.html.index import Series, write_index
from lab.report.html.report import write_report

pytestmark = [NEEDED, pytest.mark.beside]

BLANK = """canvas => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(pixels.buffer)).size < 3;
}"""
HASH = """canvas => {
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.reduce((sum, pixel) => (sum * 31 + pixel) >>> 0, 7);
}"""
INK = """(canvas, colour) => {
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--' + colour);
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  const p = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let i = 0; i < p.length; i += 4) {
    if (Math.abs(p[i] - r) + Math.abs(p[i + 1] - g) + Math.abs(p[i + 2] - b) < 30 && p[i + 3] > 200) found += 1;
  }
  return found;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(kept(tmp_path_factory.mktemp("runs"), "cardinality/pass"))


def canvases(seen: Seen) -> list[Any]:
    found: list[Any] = seen.page.query_selector_all("canvas")
    return found


def painted(seen: Seen) -> None:
    """Wait for what was asked to be on the screen."""
    seen.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_every_chart_is_drawn_without_an_error_or_a_request(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        drawn = canvases(seen)
        assert len(drawn) == seen.page.locator("figure.chart").count() >= 8
        assert [canvas.evaluate(BLANK) for canvas in drawn] == [False] * len(drawn)
        assert seen.errors == []
        assert seen.requests == [f"file://{report}"]


def test_the_lines_of_a_chart_are_there(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        canvas = seen.page.locator("#chart-series canvas").element_handle()
        assert canvas.evaluate(INK, "c1") > 200
        assert canvas.evaluate(INK, "c2") < 20
        assert canvas.evaluate(INK, "limit") > 50


def test_a_click_on_a_name_hides_its_line_and_shows_it_again(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        canvas = seen.page.locator("#chart-series canvas").element_handle()
        name = seen.page.locator("#chart-series .u-legend .u-series th").nth(1)
        whole = canvas.evaluate(INK, "c1")
        name.click()
        seen.page.mouse.move(0, 0)
        seen.page.wait_for_function(
            "!document.querySelector('#chart-series .u-series:nth-child(2)').matches(':not(.u-off)')"
        )
        assert name.get_attribute("aria-pressed") == "false"
        painted(seen)
        assert canvas.evaluate(INK, "c1") < whole / 10
        name.click()
        seen.page.mouse.move(0, 0)
        painted(seen)
        assert canvas.evaluate(INK, "c1") > whole * 0.8


def test_the_names_are_switches_for_the_keyboard_too(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        name = seen.page.locator("#chart-rss .u-legend .u-series th").nth(1)
        name.focus()
        for key, pressed in (("Enter", "false"), (" ", "true")):
            seen.page.keyboard.press(key)
            assert name.get_attribute("aria-pressed") == pressed


def test_the_arrow_keys_read_a_chart(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        plot = seen.page.locator("#chart-series .plot")
        value = seen.page.locator("#chart-series .u-value")
        assert value.nth(1).inner_text() == ""
        plot.focus()
        for _ in range(30):
            seen.page.keyboard.press("ArrowRight")
        seen.page.wait_for_function("document.querySelectorAll('#chart-series .u-value')[1].textContent !== ''")
        assert "simulated" in value.nth(0).inner_text()
        assert int(value.nth(1).inner_text().replace(",", "")) > 600


def test_every_part_is_reached_by_the_keyboard(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.className") == "skip"
        seen.page.keyboard.press("Enter")
        reached = set()
        for _ in range(120):
            seen.page.keyboard.press("Tab")
            reached.add(seen.page.evaluate("document.activeElement.closest('main > section')?.id ?? ''"))
        assert reached >= {"timeline", "charts", "words", "diff", "checks", "run"}


def test_light_and_dark_are_different_and_readable(browser: Any, report: Path) -> None:
    found = {}
    for scheme in ("light", "dark"):
        with opened(browser, report, color_scheme=scheme) as seen:
            page = seen.page
            colours = page.evaluate(
                "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
            )
            found[scheme] = (colours, page.locator("#chart-rss canvas").element_handle().evaluate(HASH))
    assert found["light"][0] != found["dark"][0]
    assert found["light"][1] != found["dark"][1]  # the charts, too
    assert found["light"][0] == ["rgb(26, 31, 38)", "rgb(255, 255, 255)"]


def test_a_change_of_the_scheme_draws_the_charts_anew(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="light") as seen:
        before = canvases(seen)[0].evaluate(HASH)
        seen.page.emulate_media(color_scheme="dark")
        painted(seen)
        assert canvases(seen)[0].evaluate(HASH) != before


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_nothing_sticks_out_at_any_width(width: int, browser: Any, report: Path) -> None:
    with opened(browser, report, viewport={"width": width, "height": 800}) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        charts = seen.page.locator("figure.chart canvas").evaluate_all(
            "all => all.map(c => c.getBoundingClientRect().right)"
        )
        assert max(charts) <= width


def test_charts_follow_the_window(browser: Any, report: Path) -> None:
    with opened(browser, report) as seen:
        seen.page.set_viewport_size({"width": 420, "height": 800})
        narrow = "() => [...document.querySelectorAll('canvas')].every(c => c.getBoundingClientRect().right <= 420)"
        seen.page.wait_for_function(narrow, timeout=10_000)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 420


def test_it_prints_in_light_colours_with_its_charts(browser: Any, report: Path) -> None:
    with opened(browser, report, color_scheme="dark") as seen:
        assert seen.page.pdf()[:4] == b"%PDF"
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert [canvas.evaluate(BLANK) for canvas in canvases(seen)].count(True) == 0
        paper = 186 / 25.4 * 96
        left = seen.page.evaluate("document.querySelector('.page').getBoundingClientRect().left")
        charts = seen.page.locator("figure.chart canvas")
        assert max(charts.evaluate_all("all => all.map(c => c.getBoundingClientRect().right)")) - left <= paper + 1
        seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_hostile_text_stays_text(browser: Any, tmp_path: Path) -> None:
    target = write_report(kept(tmp_path, "cardinality/pass", hostile))
    with opened(browser, target) as seen:
        asked: list[str] = []
        seen.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        seen.page.reload()
        assert asked == []
        assert seen.errors == []
        assert set(seen.requests) == {f"file://{target}"}
        assert seen.page.locator("img").count() == 0
        said = seen.page.locator("body").inner_text()
        assert HOSTILE[0] in said
        legend = seen.page.locator("#chart-rss .u-legend").inner_text()
        assert HOSTILE[1] in legend
        for character in "\u202e\u200f\x1b":
            assert character not in said


def test_what_a_page_did_not_bring_does_not_run(browser: Any, report: Path, tmp_path: Path) -> None:
    """The policy is the second wall: a script that got into the page all the same stays still."""
    broken = tmp_path / "report.html"
    broken.write_text(
        report.read_text().replace("<main ", "<script>window.ran = 1</script><img src=https://x.invalid/a><main ", 1)
    )
    with opened(browser, broken) as seen:
        assert seen.page.evaluate("window.ran") is None
        assert len(canvases(seen)) >= 8
        assert any("Content Security Policy" in error for error in seen.errors)


def test_a_truncated_run_and_an_index_are_without_an_error(browser: Any, tmp_path: Path) -> None:
    def cut(records: Records) -> Records:
        return records[:40]

    runs = kept(tmp_path, "cardinality/pass", cut), kept(tmp_path, "alert_storm/pass")
    for page in (*map(write_report, runs), write_index(tmp_path, Series(runs))):
        with opened(browser, page) as seen:
            assert seen.errors == []
            assert seen.requests == [f"file://{page}"]
    with opened(browser, tmp_path / "index.html") as seen:
        seen.page.locator("#runs a").first.click()
        assert "One unbounded label" in seen.page.locator("h1").inner_text()


def test_a_hundred_thousand_samples_are_a_report_in_seconds(browser: Any, tmp_path: Path) -> None:
    """The time is that of the processor: how busy the machine is beside says nothing of the report."""

    def long(records: Records) -> Records:
        samples = [r for r in records if r["type"] == "sample"]
        zero = records[0]["started_at"]
        many = [{**samples[n % len(samples)], "t": zero + 100 + n} for n in range(100_000)]
        return [records[0], *many, *(r for r in records if r["type"] == "event")]

    run = kept(tmp_path, "cardinality/pass", long)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-m", "lab", "report", str(run)], check=True, timeout=120)
    took_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert took_s < 30, "it takes four; one that grows with the square would take minutes"
    assert (run / "report.html").stat().st_size < 3_000_000
    with opened(browser, run / "report.html") as seen:
        assert seen.errors == []
        assert len(canvases(seen)) >= 8
