"""A deployment that an interrupt has ended is not awaited, and what it retries is not tried again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from histories import header

from lab.backfill import Blocks
from lab.catalog import find
from lab.errors import StartError
from lab.journal import Journal
from lab.ready import wait_ready
from lab.runner import Run
from lab.runtime.protocol import ServiceSpec
from lab.scenario import Phase
from lab.story import Story


def over() -> threading.Event:
    found = threading.Event()
    found.set()
    return found


def test_a_service_is_not_awaited_any_more(tmp_path: Path) -> None:
    spec = ServiceSpec("rag", (sys.executable,), "/", "http", start_timeout_s=3600.0)
    service = SimpleNamespace(spec=spec, exit_code=lambda: None, log=tmp_path / "x.log")
    with pytest.raises(StartError, match=r"^rag is not awaited: the run is over"):
        wait_ready(service, "http://127.0.0.1:1/", over())  # type: ignore[arg-type]


class Busy(Blocks):
    """A server that answers the third time it is asked."""

    def _run(self, *_: str) -> None:
        asked.append(1)
        if len(asked) < 3:
            raise StartError("query timed out")


asked: list[int] = []


@pytest.mark.parametrize(("event", "times"), [(threading.Event(), 3), (over(), 1)])
def test_what_was_to_be_recorded_is_asked_again_until_it_is_over(
    event: threading.Event, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.backfill.RETRY_S", 0.01)
    asked.clear()
    blocks = Busy(None, tmp_path, tmp_path, event)  # type: ignore[arg-type]
    if event.is_set():
        with pytest.raises(StartError, match="timed out"):
            blocks.record(tmp_path, "", 0, 1)
    else:
        blocks.record(tmp_path, "", 0, 1)
    assert len(asked) == times


def test_an_interrupt_does_not_wait_for_what_is_being_deployed(tmp_path: Path) -> None:
    given_up = threading.Event()

    def deploy(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert given_up.wait(10)

    run = object.__new__(Run)
    run.plan = SimpleNamespace(scenario=find("missing_metrics").scenario)  # type: ignore[assignment]
    run.stack = SimpleNamespace(deploy=deploy, give_up=given_up.set)  # type: ignore[assignment]
    run.story, run.journal = Story(), Journal(tmp_path / "journal.jsonl", header())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run._begin(Phase.BROKEN, find("missing_metrics").deployment("broken"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert given_up.is_set()
