"""The live page without a browser: what it is told as a run goes on, who may ask it, and how it ends."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from kept_runs import Page, kept
from replays import Replay
from rich.console import Console
from waiting import until

import lab.commands.run
from lab.cli import run_cli
from lab.commands.web import watched
from lab.options import Options
from lab.outcome import Outcome
from lab.report.html.index import Series, write_index
from lab.stored import load
from lab.story import Several, Story
from lab.web.following import Following
from lab.web.server import LAST_LOOK_S, LivePage, serving


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


def text(replay: Replay, part: str) -> str:
    assert isinstance(replay.listener, Following)
    return Page(replay.listener.state()["parts"][part]).text


def test_a_page_without_a_run_says_that_it_starts() -> None:
    assert "starting" in Page(Following().state()["parts"]["top"]).text


def test_the_page_follows_the_run(replay: Replay) -> None:
    assert "starting" in text(replay, "top")
    replay.to(10)
    assert "phase steady" in text(replay, "top").replace("phasesteady", "phase steady")
    assert "Nobody was told" in text(replay, "channel")
    assert "Waiting for" in text(replay, "checks")
    replay.to(30)
    assert "broken" in text(replay, "top")
    assert "firing" in text(replay, "top")
    assert "[FIRING] MetricCardinalityExplosion" in text(replay, "channel")
    settled, _, waiting = text(replay, "checks").partition("Waiting for")
    assert "head series > 10,000" in waiting
    assert "MetricCardinalityExplosion delivered" in settled
    assert "MetricCardinalityExplosion delivered" not in waiting
    replay.to(60)
    assert "no space left on device" in text(replay, "words")
    assert "head series > 10,000" in text(replay, "checks").partition("Waiting for")[0]


def test_what_is_said_aloud_changes_with_the_phase_and_the_alert_alone(replay: Replay) -> None:
    said = [replay.listener.state()["said"]]  # type: ignore[attr-defined]
    for second in range(1, 61):
        replay.to(second)
        told = replay.listener.state()["said"]  # type: ignore[attr-defined]
        if told != said[-1]:
            said.append(told)
    assert said[:2] == ["cardinality: starting", "steady: alert inactive"]
    assert "broken: alert firing" in said
    assert len(said) == 9
    replay.listener.unwinding()
    assert replay.listener.state()["said"] == "cardinality: stopping"  # type: ignore[attr-defined]


def test_the_charts_grow(replay: Replay) -> None:
    lengths = []
    for seconds in (10, 20, 40):
        replay.to(seconds)
        data = replay.listener.state()["data"]  # type: ignore[attr-defined]
        lengths.append(len(data["charts"][0]["data"][0]))
        assert data["phases"][-1]["end"] <= seconds
    assert lengths[0] < lengths[1] < lengths[2]
    assert [mark["kind"] for mark in data["marks"]][:2] == ["broken", "pending"]
    replay.to(60)  # when the signal was seen is told where the phase ends
    marks = replay.listener.state()["data"]["marks"]  # type: ignore[attr-defined]
    assert [mark["kind"] for mark in marks][:2] == ["broken", "signal"]


def test_another_run_begins_with_nothing(replay: Replay, tmp_path: Path) -> None:
    replay.to(60)
    replay.begin(tmp_path / "next")
    assert "[FIRING]" not in text(replay, "channel")
    assert "no space left" not in json.dumps(replay.listener.state())  # type: ignore[attr-defined]


def test_what_another_run_settled_is_not_settled_in_this(replay: Replay, tmp_path: Path) -> None:
    replay.to(60)
    again = Replay("cardinality/pass", replay.listener)
    again.begin(tmp_path / "next")
    assert "starting" in text(again, "top")
    again.to(30)
    assert "head series > 10,000" in text(again, "checks").partition("Waiting for")[2]


def test_that_it_stops_is_said(replay: Replay) -> None:
    replay.to(60)
    replay.listener.unwinding()
    assert "stopping" in text(replay, "top")


def test_the_frame_brings_its_policy_and_fetches_from_nobody_else(page: LivePage) -> None:
    answer = httpx.get(page.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert policy.count("sha256-") == len(Page(answer.text).scripts) == 3
    assert page.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "evil.example:{port}", ""])
def test_another_name_is_refused(host: str, page: LivePage) -> None:
    """A page elsewhere whose name is made to point here must not read along."""
    for path in ("", "events", "report"):
        answer = httpx.get(page.url + path, headers={"Host": host.format(port=page.port)})
        assert answer.status_code == 403


def test_localhost_is_us(page: LivePage) -> None:
    assert httpx.get(page.url, headers={"Host": f"localhost:{page.port}"}).status_code == 200


@pytest.mark.parametrize("path", ["etc/passwd", "../report", "report", "events/x"])
def test_there_is_nothing_else(path: str, page: LivePage) -> None:
    assert httpx.get(page.url + path).status_code == 404


def events(url: str, most: int) -> list[tuple[str, dict[str, object]]]:
    """The first events of the stream."""
    found: list[tuple[str, dict[str, object]]] = []
    name = ""
    with httpx.stream("GET", f"{url}events", timeout=10) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
                if len(found) == most or name == "end":
                    return found
    return found


def test_a_page_that_comes_back_is_told_everything(replay: Replay, page: LivePage) -> None:
    replay.to(40)
    (first,), (again,) = events(page.url, 1), events(page.url, 1)
    assert first[1]["frame"]
    assert again == first


def test_the_frame_of_the_charts_is_told_once(replay: Replay, page: LivePage) -> None:
    replay.to(40)
    told = [state for _, state in events(page.url, 3)]
    assert told[0]["frame"]
    assert [state["frame"] for state in told[1:]] == [None, None]
    assert told[2]["data"]


def test_the_end_brings_the_report_to_who_is_looking(replay: Replay, page: LivePage, tmp_path: Path) -> None:
    replay.to(40)
    report = tmp_path / "report.html"
    report.write_text("<h1>the report</h1>")
    seen: list[str] = []

    def look() -> None:
        told = events(page.url, 99)
        assert told[-1] == ("end", {"report": True})
        seen.append(httpx.get(page.url + "report").text)

    looking = threading.Thread(target=look)
    looking.start()
    until(lambda: page._open, 10, "a page is open")
    page.finish(report)
    looking.join(10)
    assert seen == ["<h1>the report</h1>"]


def test_a_series_ends_with_an_index_whose_paths_are_no_links(page: LivePage, tmp_path: Path) -> None:
    """The links of the file lead to files, which are not served, and in a moment nothing is."""
    index = write_index(tmp_path, Series((kept(tmp_path, "cardinality/pass"),)))
    page.finish(index)
    found = Page(httpx.get(page.url + "report").text)
    assert "1 run in a row" in found.text
    assert "cardinality/20260102T030405Z/report.html" in found.text
    links = [attrs["href"] for tag, attrs in found.elements if tag == "a"]
    assert [link for link in links if not link.startswith("#")] == []
    assert 'href="cardinality/20260102T030405Z/report.html"' in index.read_text()


def test_the_end_waits_for_nobody(page: LivePage, tmp_path: Path) -> None:
    begun = time.monotonic()
    page.finish(None)
    assert time.monotonic() - begun < LAST_LOOK_S / 2
    assert httpx.get(page.url + "report").status_code == 404


def test_a_run_without_a_page_is_told_as_ever() -> None:
    story = Story()
    with watched(False, Console(file=io.StringIO())) as none:
        assert none.beside(story) is story
        none.finish(None)


def test_a_run_with_a_page_is_told_to_both() -> None:
    said = io.StringIO()
    with watched(True, Console(file=said)) as found:
        story = Story()
        both = found.beside(story)
        assert isinstance(both, Several)
        assert both.listeners[0] is story
        url = said.getvalue().split()[-1]
        assert httpx.get(url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_lab_run_web_serves_the_run_and_then_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    """The command with a replayed run in place of a live one."""
    run_dir = kept(tmp_path, "cardinality/pass")
    got: list[str] = []
    looking: list[threading.Thread] = []

    def look(url: str) -> None:
        *states, end = events(url, 99)
        assert "[FIRING]" in json.dumps(states[-1][1])
        assert end == ("end", {"report": True})
        got.append(httpx.get(url + "report").text)

    def execute(plan: Any, story: Story) -> Outcome:
        url = capsys.readouterr().err.split()[-1]
        replay = Replay("cardinality/pass", story)
        replay.begin(run_dir)
        replay.to(40)
        looking.append(threading.Thread(target=look, args=(url,)))
        looking[0].start()
        assert isinstance(story, Several)
        told = story.listeners[1]
        until(lambda: told._told, 10, "a page was told")  # type: ignore[attr-defined]
        return replace(replay.stored.outcome, run_dir=str(run_dir))

    stored = load(run_dir)
    found = stored.found
    plan = SimpleNamespace(
        scenario=found.scenario, header=stored.header, options=Options(out=tmp_path), found=found, detect_rules={},
        broken=found.deployment("broken"), fixed=found.deployment("fixed"),
    )  # fmt: skip
    monkeypatch.setattr(lab.commands.run, "make", lambda *_: plan)
    monkeypatch.setattr(lab.commands.run, "_execute", execute)
    assert run_cli(["run", "cardinality", "--web"]) == 0
    looking[0].join(10)
    assert "seen after 10.2 s" in got[0]
    assert (run_dir / "report.html").read_text() == got[0]
    assert "report.html" in capsys.readouterr().err


def test_several_listeners_are_told_everything() -> None:
    class Ear(Story):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def __getattribute__(self, name: str) -> object:
            if name in names:
                return lambda *_: self.heard.append(name)
            return super().__getattribute__(name)

    names = {name for name in vars(Story) if not name.startswith("_")}
    ears = Ear(), Ear()
    several = Several(ears)
    for name in sorted(names):
        method = getattr(several, name)
        method(*[None] * (method.__code__.co_argcount - 1))
    assert ears[0].heard == ears[1].heard == sorted(names)


def test_a_page_that_goes_away_says_nothing_in_the_terminal(page: LivePage, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        raise ConnectionResetError
    except ConnectionResetError:
        page.handle_error(None, ("127.0.0.1", 1))
    assert capfd.readouterr() == ("", "")
