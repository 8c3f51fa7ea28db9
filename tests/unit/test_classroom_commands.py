"""`lab up`, `down`, `status`, `fault` against an owner that only writes down what it is asked; the way to it."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from lab.catalog import find
from lab.classroom.client import Client, stack_up
from lab.classroom.control import ControlServer
from lab.classroom.status import AlertStatus, FaultStatus, Happened, ServiceStatus, Status, Told
from lab.classroom.wanted import Wanted
from lab.cli import run_cli
from lab.commands import classroom
from lab.errors import LabError, UsageError
from lab.identity import Identity
from lab.options import Options
from lab.registry import CONTROL, Registration

QUIET = Status(
    made_for="", runtime="native", speed=15, seed=1, users=100, since=0.0, run_dir="/x/run",
    services=(ServiceStatus("rag", True, "http://127.0.0.1:1/"), ServiceStatus("host", False)),
    metrics_url="http://127.0.0.1:2/metrics", requests_per_s=299.5, fault=None, alerts=(), silent=(),
    notifications=(), happened=(),
)  # fmt: skip
BUSY = replace(
    QUIET,
    made_for="cardinality",
    requests_per_s=None,
    fault=FaultStatus("cardinality", "broken", 3600.0, ("metrics.py",)),
    alerts=(AlertStatus("Growth\x1b[31m", "firing", "observer"),),
    silent=("prometheus",),
    notifications=(Told(7200.0, "firing", "Growth", "console", "series\ngrow " + "x" * 200),),
    happened=(Happened(7201.0, "rag ended: signal 9"),),
)


class FakeOwner:
    def __init__(self) -> None:
        self.says: Status | Exception = QUIET
        self.asked: list[tuple[str, str, str]] = []

    def status(self) -> Status:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def switch(self, target: str, variant: str, switch: str) -> str:
        self.asked.append((target, variant, switch))
        if isinstance(self.says, Exception):
            raise self.says
        return f"{switch}, says the owner"


class Up:
    """A stack that is up, whose owner is this process."""

    def __init__(self, tmp: Path) -> None:
        self.owner, self.stopped = FakeOwner(), False
        self.registration = Registration("up-test", tmp / "run")
        self.server = ControlServer(self.owner, self.stop)  # type: ignore[arg-type]
        self.file = tmp / "state" / f"up-test{CONTROL}"
        self.server.control.write(self.file)
        self.server.start()

    def stop(self) -> None:
        self.stopped = True
        self.registration.remove()


@pytest.fixture
def up(state: Path, tmp_path: Path) -> Iterator[Up]:
    found = Up(tmp_path)
    yield found
    found.server.stop()


def ran(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = run_cli(argv)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in ("LAB_SPEED", "LAB_SEED", "LAB_OUT", "LAB_USERS", "LAB_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# No stack


def test_no_stack(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "status") == (3, "no stack is up; `lab up` starts one\n", "")
    assert ran(capsys, "status", "--json") == (3, '{"up": false}\n', "")
    assert ran(capsys, "down") == (0, "no stack is up\n", "")
    assert ran(capsys, "fault", "cardinality", "on") == (2, "", "lab: no stack is up; `lab up` starts one\n")


def test_one_whose_owner_is_dead_is_none(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    entry = up.file.with_suffix(".json")
    told = json.loads(entry.read_text())
    told["owner"] = {"pid": 2**22 - 1, "start": "long:ago"}
    entry.write_text(json.dumps(told))
    assert stack_up() is None, "also one that could not be swept"
    assert ran(capsys, "status")[0] == 3
    assert not list(up.file.parent.iterdir())


@pytest.mark.parametrize(("argv", "said"), [
    (("up", "cardinalty"), "did you mean cardinality?"), (("up", "./nowhere"), "no scenario.py"),
    (("up", "cardinality:x"), "no such variant"), (("up", "--speed", "0.5"), "--speed 0.5: not between 1"),
    (("up", "--speed", "1000"), "--speed 1000"), (("up", "--prometheus-bin", "none"), "none"),
    (("fault", "cardinalty", "on"), "did you mean cardinality?"), (("fault", "missing_metrics:x", "on"), "variant"),
])  # fmt: skip
def test_bad_input_is_one_line(
    argv: tuple[str, ...], said: str, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ran(capsys, *argv)
    lines = [line for line in err.splitlines() if not line.startswith("starting")]
    assert (code, out, len(lines)) == (2, "", 1), err
    assert said in lines[0]
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "argv", [("fault", "cardinality"), ("fault", "cardinality", "onn"), ("up", "--users", "-1"), ("up", "a", "b")]
)
def test_bad_usage(argv: tuple[str, ...], state: Path) -> None:
    assert run_cli(argv) == 2


def test_options_may_stand_in_lab_toml(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lab.toml").write_text("[up]\nspeed = 1000\n")
    assert "--speed 1000" in ran(capsys, "up")[2]


# A stack


def test_a_second_stack_is_refused_in_one_line(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(capsys, "up")
    assert (code, out) == (2, "")
    assert err == f"lab: a stack is up already ({up.registration.entry.run_dir}); `lab down` stops it\n"


def test_a_second_one_is_refused_while_the_first_is_still_starting(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.mkdir()
    lock = os.open(state, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    code, _, err = ran(capsys, "up")
    os.close(lock)
    assert (code, err.splitlines()[1:]) == (2, ["lab: a stack is up already (lab status); `lab down` stops it"])


def test_one_that_is_interrupted_before_it_is_told_of_does_not_stay_up(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did = []
    owner = SimpleNamespace(terminate=lambda: did.append("terminate"), wait=lambda _: did.append("wait"))

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(classroom.subprocess, "Popen", lambda *_, **__: owner)
    monkeypatch.setattr(classroom, "_await", lambda _: None)
    monkeypatch.setattr(classroom, "require_up", interrupted)
    with pytest.raises(KeyboardInterrupt):
        classroom.up_command("", {})
    assert did == ["terminate", "wait"]


def test_the_status_as_text(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    page = f"http://{up.server.control.address}/#{up.server.control.token}"
    assert ran(capsys, "status") == (0, f"""\
up since 00:00:00, for any fault that needs nothing special; native, speed 15, seed 1, 100 users
rag           http://127.0.0.1:1/
host            DOWN
metrics       http://127.0.0.1:2/metrics
traffic       299.5 requests/s
live page     {page}
fault         none
alert         none
channel       quiet
""", "")  # fmt: skip
    up.owner.says = BUSY
    _, out, _ = ran(capsys, "status")
    assert out.splitlines()[0].startswith("up since 00:00:00, for cardinality;")
    assert out.splitlines()[4:] == [
        "traffic       no figures",
        f"live page     {page}",
        "fault         cardinality broken since 01:00:00: broken/metrics.py",
        "alert         Growth\ufffd[31m FIRING at observer",
        "alert         prometheus does not answer",
        f"channel       02:00:00 #console FIRING Growth: series grow {'x' * 67}…",
        "happened      02:00:01 rag ended: signal 9",
    ]


def test_the_status_as_json(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    up.owner.says = BUSY
    code, out, _ = ran(capsys, "status", "--json")
    told = json.loads(out)
    assert (code, told["up"], told["fault"]["name"]) == (0, True, "cardinality")
    assert told["services"][1] == {"name": "host", "up": False, "url": ""}
    assert told["notifications"][0]["at"] == 7200.0


@pytest.mark.parametrize(("name", "variant"), [
    ("cardinality", ""), ("cardinality:default", "default"), ("missing_metrics:metric_renamed", "metric_renamed"),
])  # fmt: skip
def test_a_fault_is_asked_for_by_folder_and_named_variant(
    name: str, variant: str, up: Up, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(capsys, "fault", name, "fix") == (0, "fix, says the owner\n", "")
    assert up.owner.asked == [(str(find(name).folder), variant, "fix")]


@pytest.mark.parametrize(("error", "code"), [(UsageError("not now"), 2), (LabError("not there"), 3)])
def test_what_the_owner_refuses_is_one_line(
    error: LabError, code: int, up: Up, capsys: pytest.CaptureFixture[str]
) -> None:
    up.owner.says = error
    assert ran(capsys, "fault", "cardinality", "on") == (code, "", f"lab: {error}\n")


def test_an_owner_that_does_not_answer(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    up.server.stop()
    code, _, err = ran(capsys, "status")
    assert (code, "the stack's owner does not answer" in err, "owner.log" in err) == (3, True, True)


def test_a_control_file_that_is_damaged_says_how_to_end_it(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    up.file.write_text("{")
    code, _, err = ran(capsys, "down")
    assert (code, f"`kill {os.getpid()}` ends the stack" in err) == (3, True)


def test_down_waits_until_the_owner_has_ended(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    lives = [True, True, False]
    monkeypatch.setattr(Identity, "alive", lambda _: lives.pop(0))
    control = up.server.control
    Client(up.registration.entry.owner, "/x", control.address, control.token).down()
    assert (up.stopped, lives) == (True, [])


def test_down_that_takes_too_long_says_so(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.classroom.client.DOWN_S", 0.0)
    control = up.server.control
    with pytest.raises(LabError, match=r"still stopping after 0 s; see /x/logs/owner.log"):
        Client(up.registration.entry.owner, "/x", control.address, control.token).down()


# Who may


def test_only_this_user_can_read_the_token(up: Up) -> None:
    assert stat.S_IMODE(up.file.stat().st_mode) == 0o600
    assert up.server.control.token in up.file.read_text()
    assert up.server.control.token not in repr(up.server.control)
    assert [path.name for path in up.file.parent.iterdir() if path.suffix == ".tmp"] == []


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/status"), ("GET", "/events"), ("GET", "/events?token=x"),
    ("POST", "/down"), ("POST", "/fault?target=x&switch=on"), ("POST", "/fault"),
])  # fmt: skip
def test_without_the_token_nothing_is_told_or_done(method: str, path: str, up: Up) -> None:
    url = f"http://{up.server.control.address}{path}"
    for given in (None, b"Bearer", b"Bearer x", b"Bearer \xe9", up.server.control.token.encode()):
        headers = {"Authorization": given} if given else {}
        answer = httpx.request(method, url, headers=headers, trust_env=False)
        assert answer.status_code == 403, answer.text
    assert (up.owner.asked, up.stopped) == ([], False)


def test_it_listens_on_loopback_only(up: Up) -> None:
    assert up.server.control.address.startswith("127.0.0.1:")


@pytest.mark.parametrize("switch", ["onn", ""])
def test_a_switch_that_is_none_is_refused(switch: str, up: Up) -> None:
    headers = {"Authorization": f"Bearer {up.server.control.token}"}
    url = f"http://{up.server.control.address}/fault"
    answer = httpx.post(url, params={"target": "x", "switch": switch}, headers=headers, trust_env=False)
    assert (answer.status_code, up.owner.asked) == (422, [])


def test_what_is_wanted_survives_its_way() -> None:
    options = Options(speed=3, out=Path("a/b"), prometheus_bin=Path("p"), users=0)
    wanted = Wanted("x:y", options)
    assert Wanted.from_json(wanted.to_json()) == wanted
