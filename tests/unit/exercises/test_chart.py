"""The chart of a judged day: the band, what was injected, what was flagged; no text from outside becomes markup."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from lab.exercises.catalog import folder
from lab.exercises.chart import HEIGHT, LEFT, TOP, WIDTH, svg
from lab.exercises.detection import Day, readings

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> & \u202e"


@pytest.fixture(scope="module")
def day() -> Day:
    return readings(folder() / "hard" / "reference" / "detector.py", [3])[0]


def drawn(day: Day, title: str = "a day") -> ElementTree.Element:
    return ElementTree.fromstring(svg(day, title))


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in element.attrib["points"].split())]


def test_the_band_has_both_edges_and_the_values_lie_on_them_where_they_are_normal(day: Day) -> None:
    (band,) = drawn(day).iter(f"{SVG}polygon")
    edges = points(band)
    assert len(edges) == 2 * 1440
    (values,) = [line for line in drawn(day).iter(f"{SVG}polyline") if line.attrib["class"] == "values"]
    upper, lower = edges[:1440], edges[:1439:-1]
    inside = [u[1] <= v[1] <= w[1] for u, v, w in zip(upper, points(values), lower, strict=True)]
    assert 0.9 < np.mean(inside) < 0.97  # an hour and a half of anomalies lies outside


def test_every_anomaly_is_shaded_where_it_was_injected_and_has_marks(day: Day) -> None:
    groups = {group.attrib.get("class"): group for group in drawn(day).iter(f"{SVG}g")}
    spans = [(float(r.attrib["x"]), float(r.attrib["width"])) for r in groups["injected"].iter(f"{SVG}rect")]
    assert len(spans) == len(day.traffic.anomalies) == 6
    first = day.traffic.anomalies[0]
    midnight = day.times[-1] - 86_400
    assert spans[0][0] == pytest.approx(LEFT + (first.start - midnight) / 86_400 * WIDTH, abs=0.1)
    marks = [float(circle.attrib["cx"]) for circle in groups["flagged"].iter(f"{SVG}circle")]
    for x, width in spans:
        assert any(x <= mark <= x + width + 2 for mark in marks)


def test_all_lies_within_the_frame(day: Day) -> None:
    for name in ("polygon", "polyline"):
        for element in drawn(day).iter(f"{SVG}{name}"):
            for x, y in points(element):
                assert LEFT <= x <= LEFT + WIDTH
                assert TOP <= y <= TOP + HEIGHT


def test_it_says_in_words_what_it_shows(day: Day) -> None:
    (said,) = drawn(day).iter(f"{SVG}desc")
    assert said.text == "6 of 6 anomalies found in time, 0 false alarms of 6."


def test_a_day_without_marks_has_none(day: Day) -> None:
    silent = replace(day, flagged=np.zeros_like(day.flagged))
    groups = {group.attrib.get("class"): group for group in drawn(silent).iter(f"{SVG}g")}
    assert list(groups["flagged"]) == []


@pytest.mark.parametrize("high", [1e9, 1e308])
def test_a_band_far_above_the_values_ends_at_the_frame(day: Day, high: float) -> None:
    wide = drawn(replace(day, high=np.full_like(day.high, high)))
    (band,) = wide.iter(f"{SVG}polygon")
    assert {y for _, y in points(band)[:1440]} == {TOP}
    assert len(list(wide.iter(f"{SVG}text"))) < 50


def test_a_title_is_text(day: Day) -> None:
    text = svg(day, HOSTILE)
    assert "<script" not in text
    assert "\u202e" not in text
    (title,) = ElementTree.fromstring(text).iter(f"{SVG}title")
    assert title.text is not None
    assert title.text.startswith("<script>alert(1)</script> &")
