"""A Locust master and workers: how they are started, waited for and missed; what their figures add up to."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_load import Process, Runtime

import lab.load
from lab.errors import LoadError
from lab.load import Figures, Traffic
from lab.loadgen.together import LOST_S, Heard, figures_of
from lab.scenario import Load

WORD = {"t": 1.0, "users": 5, "served": 100.0, "failed": 1.0, "p95_s": 0.1}
PANELS = {"panel_served": 2.0, "panel_failed": 1.0, "panel_p95_s": 0.5, "panel_error": "timeout"}


class Native(Runtime):
    """Starts nothing; the master writes `line` when the last worker is asked for."""

    def __init__(self, folder: Path, **line: Any) -> None:
        super().__init__(folder / "log")
        self.stats = folder / "logs" / "load.stats.jsonl"
        self.line = line
        self.dead = ""
        self.processes: dict[str, Process] = {}

    def listen(self, service: str, port: str) -> str:
        return "127.0.0.1:7777"

    inside = listen

    def start(self, spec: Any) -> Process:
        process = self.processes[spec.name] = super().start(spec)
        process.code = 1 if spec.name == self.dead else None
        if spec.name.endswith("worker-2") and self.line:
            self.say(**self.line)
        return process

    def say(self, **line: Any) -> None:
        with self.stats.open("a") as out:
            out.write(json.dumps({**WORD, "t": time.time(), **line}) + "\n")


def traffic(folder: Path, **line: Any) -> tuple[Traffic, Native]:
    (folder / "logs").mkdir()
    runtime = Native(folder, **line)
    return Traffic(runtime, folder, "127.0.0.1:80", 7, workers=2), runtime  # type: ignore[arg-type]


def begin(found: Traffic) -> None:
    found.start(Load(users=10), Path("l.py"), 15.0)


def test_a_master_makes_no_traffic_and_its_workers_have_seeds_of_their_own(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path, workers=2)
    begin(found)
    master, *workers = runtime.started
    assert [spec.name for spec in runtime.started] == ["load", "load-worker-1", "load-worker-2"]
    assert {"--master", "--expect-workers", "--master-bind-port", "7777", "--users"} <= set(master.argv)
    assert master.argv[master.argv.index("--master-bind-host") + 1] == "127.0.0.1"
    for spec in workers:
        assert spec.argv[-6:-2] == ("--master-host", "127.0.0.1", "--master-port", "7777")
        assert "--users" not in spec.argv
        assert spec.env["LAB_SEED"] == "7"
        assert spec.env["LAB_USER_RATE"] == "30.0"
        assert "LAB_LOAD_STATS" not in spec.env


def test_without_workers_there_is_one_process(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path)
    begin(replace(found, workers=0))
    assert [spec.name for spec in runtime.started] == ["load"]
    assert not any("master" in word for word in runtime.started[0].argv)


@pytest.mark.parametrize("line", [{"workers": 1}, {"workers": 2, "users": 0}])
def test_workers_that_do_not_come_are_no_traffic(
    line: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab.load, "WAIT_S", 0.3)
    found, _ = traffic(tmp_path, **line)
    with pytest.raises(LoadError, match=rf"has {line['workers']} of 2 workers, {line.get('users', 5)} users"):
        begin(found)


def test_a_worker_that_dies_at_once_is_named(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path)
    runtime.dead = "load-worker-1"
    runtime.log.write_text("first\nno module named x\n")
    with pytest.raises(LoadError, match="load-worker-1 ended with code 1: no module named x"):
        begin(found)


def test_a_worker_that_does_not_answer_is_missed(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path, workers=2)
    begin(found)
    figures = found.figures()
    assert figures is not None
    assert (figures.workers, figures.served, figures.users) == (2, 100.0, 5)
    found.check()
    runtime.say(workers=1)
    found.figures()
    with pytest.raises(LoadError, match="has lost workers: 1 of 2 answer"):
        found.check()


def test_a_worker_that_dies_later_is_named(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path, workers=2)
    begin(found)
    runtime.processes["load-worker-2"].code = -9
    runtime.log.write_text("")
    with pytest.raises(LoadError, match="load-worker-2 ended with code -9: it said nothing"):
        found.check()


def test_all_processes_are_stopped(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path, workers=2)
    begin(found)
    found.stop()
    assert len(runtime.stopped) == 3
    assert found.figures() is None
    found.check()


def test_the_words_of_workers_add_up() -> None:
    line = figures_of([WORD, {**WORD, "served": 50.0, "p95_s": 0.3}], 9.0)
    assert line == {"t": 9.0, "workers": 2, "users": 10, "served": 150.0, "failed": 2.0, "p95_s": 0.3}
    assert Figures(**line).panel_p95_s is None
    assert Figures(**figures_of([], 9.0)).workers == 0


def test_panels_add_up_too() -> None:
    one = {**WORD, **PANELS, "panel_titles": {"a": 1.0}}
    two = {**WORD, **PANELS, "panel_p95_s": 0.9, "panel_error": "", "panel_titles": {"a": 1.0, "b": 2.0}}
    found = Figures(**figures_of([two, WORD, one], 9.0))
    assert (found.panel_served, found.panel_failed, found.panel_p95_s) == (4.0, 2.0, 0.9)
    assert found.panel_error == "timeout"
    assert found.panel_titles == {"a": 2.0, "b": 2.0}


def test_the_last_word_of_a_worker_counts_until_it_is_lost() -> None:
    heard = Heard()
    heard.take("one", WORD, 10.0)
    heard.take("two", WORD, 10.0)
    heard.take("two", {**WORD, "served": 7.0}, 11.0)
    assert [told["served"] for told in heard.fresh(12.0)] == [100.0, 7.0]
    assert [told["served"] for told in heard.fresh(10.0 + LOST_S)] == [7.0]
