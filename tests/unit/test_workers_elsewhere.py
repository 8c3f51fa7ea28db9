"""Workers that somebody starts by hand: where they are awaited, what starts one, what is refused."""

from __future__ import annotations

import random
import shlex
import socket
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from test_workers import begin, traffic

import lab.loadgen.settings
import lab.plan
from lab.cli import run_cli
from lab.errors import LoadError, UsageError
from lab.load_elsewhere import Elsewhere, Wanted, bind_of, worker_command
from lab.load_processes import master_options
from lab.loadgen.settings import generator
from lab.options import Options
from lab.report.terminal import TerminalStory

AWAY = "203.0.113.7"
"""An address for documentation (RFC 5737): no machine has it."""


def test_an_address_with_and_without_a_port() -> None:
    assert bind_of("127.0.0.1") == ("127.0.0.1", 0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert bind_of(f"127.0.0.1:{port}") == ("127.0.0.1", port)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("here", "give an IPv4 address"),
        ("127.0.0.1:many", "give an IPv4 address"),
        ("0.0.0.0", "the one address at which the workers reach this machine"),
        (AWAY, "give an address of this machine and a free port"),
        ("127.0.0.1:99999", "ports go up to 65535"),
    ],
)
def test_what_can_not_be_listened_on_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        bind_of(text)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="in use; give"):
            bind_of(f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["cardinality", "--master-bind", "127.0.0.1"], "add --expect-workers N"),
        (["cardinality", "--expect-workers", "1", "--workers", "1"], "leave one of the two away"),
        (["cardinality", "--expect-workers", "1", "--control"], "leave --control away"),
        (["all", "--expect-workers", "1"], "name one scenario"),
        (["cardinality", "--expect-workers", "1", "--master-bind", "here"], "--master-bind here: give"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    argv: list[str], why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    assert run_cli(["run", *argv]) == 2
    assert why in capsys.readouterr().err


def test_the_command_is_whole_and_the_locustfile_comes_from_the_master() -> None:
    words = shlex.split(worker_command("10.0.0.1:5557", {"LAB_SEED": "7", "LAB_TEXT": "a b"}, here=False))
    assert words[:4] == ["env", "LAB_SEED=7", "LAB_TEXT=a b", "python3"]
    assert words[words.index("-f") + 1] == "-"
    assert words[words.index("--master-host") + 1 :][:3] == ["10.0.0.1", "--master-port", "5557"]
    assert shlex.split(worker_command("127.0.0.1:1", {}, here=True))[1] == sys.executable


def test_the_lab_starts_the_master_alone_and_tells_the_command(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path)
    told: list[str] = []
    found = replace(
        found, elsewhere=Elsewhere(2, port=5557, wait_s=0.3), tell=lambda wanted: told.append(wanted.command)
    )
    with pytest.raises(LoadError, match=r"has 0 of 2 workers, 0 users after 0\.3 s"):
        begin(found)
    assert [spec.name for spec in runtime.started] == ["load"]
    master = runtime.started[0].argv
    assert master[master.index("--master-bind-port") + 1] == "5557"
    assert float(master[master.index("--expect-workers-max-wait") + 1]) > 0.3
    assert float(master_options("127.0.0.1:1", 1, 300.0)[-1]) > 300
    (command,) = told
    for part in ("LAB_USER_RATE=30.0", "LAB_SEED=7", "--master-port 5557", "--master-host 127.0.0.1"):
        assert part in command


def test_workers_elsewhere_reach_the_service_at_the_address_they_are_given(tmp_path: Path) -> None:
    found, runtime = traffic(tmp_path)
    found = replace(found, target=f"{AWAY}:8000")
    with pytest.raises(UsageError, match="loopback addresses only"):
        begin(found)
    told: list[Wanted] = []
    with pytest.raises(LoadError, match="0 of 2 workers"):
        begin(
            replace(found, elsewhere=Elsewhere(2, AWAY, wait_s=0.1), env={"LAB_DASHBOARD": "/here"}, tell=told.append)
        )
    assert "/here" not in told[0].command
    assert told[0].target == f"{AWAY}:8000"
    master = runtime.started[0].argv
    assert master[master.index("--host") + 1] == f"http://{AWAY}:8000"
    assert master[master.index("--master-bind-host") + 1] == AWAY


def test_the_service_listens_beyond_loopback_only_where_it_was_asked_to() -> None:
    assert Options().also_host == Options(elsewhere=Elsewhere(1)).also_host == ""
    assert Options(elsewhere=Elsewhere(1, AWAY)).also_host == AWAY


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), (AWAY, True)])
def test_what_is_open_is_warned_of_in_one_line_and_the_command_is_not_folded(host: str, warned: bool) -> None:
    said = StringIO()
    story = TerminalStory(Console(file=said, width=40), quiet=True)
    story.workers_wanted(Wanted("env A=1 " + "long " * 20, f"{host}:8000", Elsewhere(2, host)))
    lines = said.getvalue().splitlines()
    assert lines[-1].strip() == ("env A=1 " + "long " * 20).strip()
    assert [line.startswith("warning: ") for line in lines] == [True, False, False][not warned :]
    assert f"2 workers to ask {host}:8000" in said.getvalue()


@pytest.mark.parametrize(("name", "who"), [("slow_queries", "viewers"), ("rate_limit", "clients of its own")])
def test_viewers_and_clients_stay_on_this_machine(name: str, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.catalog import find

    monkeypatch.setattr(lab.plan, "decide", lambda _: SimpleNamespace(name="native", servers=None))
    with pytest.raises(UsageError, match=f"traffic has {who}"):
        lab.plan.make(find(name), Options(workers=1, elsewhere=Elsewhere(1, AWAY)))


def test_users_of_two_workers_ask_different_things(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*worker: Any) -> float:
        monkeypatch.setattr(lab.loadgen.settings, "_worker", list(worker))
        return generator(3).random()

    one, two = asked(SimpleNamespace(worker_index=0)), asked(SimpleNamespace(worker_index=1))
    alone = asked()
    assert len({one, two, alone}) == 3
    assert alone == random.Random("1/3").random()
