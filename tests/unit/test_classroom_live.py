"""What the live page is told, and what anyone may have of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from lab import signals
from lab.catalog import find, names
from lab.classroom.control import ControlServer
from lab.classroom.feed import Feed
from lab.classroom.general import general
from lab.classroom.live import offers, plotted
from lab.classroom.recent import KEPT, Recent, Watched
from lab.events import Deployed
from lab.history import Sample

WEB = Path(__file__).resolve().parent.parent.parent / "lab" / "classroom" / "web"
DISK = "cardinality"


def sample(t: float, **values: float) -> Sample:
    return Sample(t, values)


def test_the_last_half_hour_is_kept() -> None:
    recent = Recent(Watched(()))
    for t in range(KEPT + 5):
        recent.record(sample(t, x=1.0))
        recent.record(Deployed(float(t), "healthy"))
    assert len(recent.since(-1.0)) == KEPT
    assert recent.since(KEPT + 2.0)[0].t == KEPT + 3
    assert len(recent.history.events) == 1000


# Charts


def test_charts_are_those_that_have_samples_in_the_order_of_a_report() -> None:
    found = plotted({signals.P95_S, signals.HEAD_SERIES, signals.rss("rag"), signals.rss("host"), "unknown"})
    assert [(chart.id, [c.label for c in chart.columns]) for chart in found] == [
        ("series", ["patient"]), ("rss", ["host", "rag"]), ("p95", ["p95"]),
    ]  # fmt: skip


def test_a_chart_has_gaps_where_nothing_was_answered() -> None:
    (chart,) = plotted({signals.HEAD_SERIES})
    looks = [sample(10.04, head_series=1234567.89), sample(11.0), sample(12.0, head_series=float("nan"))]
    assert chart.to_json(looks, zero=8.0)["data"] == [[2.0, 3.0, 4.0], [1234570.0, None, None]]
    assert chart.to_json([], zero=8.0)["data"] == [[], []]


def test_the_disk_is_told_in_per_cent_of_the_volume_of_the_moment() -> None:
    (chart,) = plotted({signals.DISK_USED_BYTES, signals.DISK_SIZE_BYTES})
    looks = [sample(1.0, disk_used_bytes=50.0, disk_size_bytes=200.0), sample(2.0, disk_used_bytes=50.0), sample(3.0)]
    assert [chart.row(look) for look in looks] == [[25.0], [None], [None]]


# The feed


@pytest.fixture
def owner() -> Any:
    return SimpleNamespace(recent=Recent(Watched(())), since=100.0)


def told(events: list[str]) -> list[tuple[str, Any]]:
    found = []
    for event in events:
        match = re.fullmatch(r"event: (\w+)\ndata: (.*)\n\n", event)
        assert match, event
        found.append((match[1], json.loads(match[2])))
    return found


def test_first_all_of_it_then_what_is_new(owner: Any) -> None:
    feed = Feed(owner)
    assert feed.fresh() == []
    for t in (101.0, 102.0):
        owner.recent.record(sample(t, head_series=t))
    ((name, whole),) = told(feed.fresh())
    assert (name, whole["zero"], whole["charts"][0]["data"]) == ("charts", 100.0, [[1.0, 2.0], [101.0, 102.0]])
    assert feed.fresh() == []
    owner.recent.record(sample(103.0, head_series=9.0))
    assert told(feed.fresh()) == [("row", {"t": 3.0, "values": [[9.0]]})]


def test_a_new_line_means_all_of_it_again(owner: Any) -> None:
    feed = Feed(owner)
    owner.recent.record(sample(101.0, head_series=1.0))
    feed.fresh()
    owner.recent.record(sample(102.0, latency_p95_s=0.5))
    ((name, whole),) = told(feed.fresh())
    assert (name, [chart["id"] for chart in whole["charts"]]) == ("charts", ["series", "p95"])
    assert whole["charts"][0]["data"] == [[1.0, 2.0], [1.0, None]]


# The switches


def test_every_fault_is_offered_with_what_it_lacks() -> None:
    rules = {name: path.read_text() for name, path in find(DISK).rules().items()}
    found = {offer.label: offer.needs for offer in offers(general(), rules, "")}
    assert len(found) == sum(len(find(name).variants) for name in names())
    assert found[DISK] == ""
    assert found["slow_queries"].startswith("a past, ")
    without = {offer.label: offer.needs for offer in offers(general(), rules, "not allowed here")}
    assert {label.partition(":")[0] for label in found if found[label] != without[label]} == {DISK}
    assert without[DISK] == "not allowed here"


# What anyone may have


@pytest.fixture(scope="module")
def server() -> Iterator[ControlServer]:
    found = ControlServer(SimpleNamespace(), lambda: None)  # type: ignore[arg-type]
    found.start()
    yield found
    found.stop()


@pytest.fixture
def anyone(server: ControlServer) -> Iterator[httpx.Client]:
    """A client without the token."""
    with httpx.Client(base_url=f"http://{server.control.address}", trust_env=False) as found:
        yield found


@pytest.mark.parametrize("name", ["", "live.js", "live.css", "report.css", "uPlot.js", "uPlot.css"])
def test_the_frame_is_complete_and_fetches_from_here_alone(
    name: str, anyone: httpx.Client, server: ControlServer
) -> None:
    answer = anyone.get(f"/{name}")
    assert answer.status_code == 200
    assert server.control.token not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_frame_asks_for_what_is_there(anyone: httpx.Client) -> None:
    wanted = re.findall(r'(?:src|href)="/([^"]+)"', anyone.get("/").text)
    assert set(wanted) == {"live.js", "live.css", "report.css", "uPlot.js", "uPlot.css"}


@pytest.mark.parametrize(
    "name", ["live.py", "__init__.py", "../owner.py", "%2e%2e/owner.py", "etc/passwd", "docs", "openapi.json"]
)
def test_nothing_else_is_there(name: str, anyone: httpx.Client) -> None:
    assert anyone.get(f"/{name}").status_code == 404


def test_text_goes_in_as_text() -> None:
    script = (WEB / "live.js").read_text()
    for markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert markup not in script
    assert not re.search(r"<script>|<style|\s(style|on\w+)=", (WEB / "live.html").read_text())
