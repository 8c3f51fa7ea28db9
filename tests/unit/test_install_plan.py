"""What `lab install` decides, and that the cache is whole whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.errors import LabError, UsageError
from lab.install import BinaryTooOldError, BinaryUnusableError, InstallError, Step, cache, find, install, plan
from lab.install.cache import adopt, cache_dir, incoming, locked
from lab.install.catalog import SERVERS, Server
from lab.install.source import Say, SourceError

PROMETHEUS, ALERTMANAGER, REDIS = SERVERS


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LAB_"):
            monkeypatch.delenv(name)
    (tmp_path / "onpath").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "onpath"))
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))


def program(path: Path, version: str = "3.5.0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    says = f"Redis server v={version}" if path.name == "redis-server" else f"{path.name}, version {version} ()"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@dataclass
class Fake:
    """A source that delivers programs of one version, or fails."""

    version: str = "3.5.0"
    fails: BaseException | None = None
    names: tuple[str, ...] = ("prometheus", "promtool")
    fetched: int = 0
    during: Callable[[], None] = lambda: None

    def describe(self) -> str:
        return f"a made-up source of {self.version}"

    def fetch(self, into: Path, say: Say) -> None:
        self.fetched += 1
        self.during()
        for name in self.names:
            program(into / name, self.version)
        if self.fails is not None:
            raise self.fails


def left_in_cache() -> list[str]:
    return sorted(str(path.relative_to(cache_dir())) for path in cache_dir().rglob("*") if path.name != "lock")


WHOLE = ["servers", "servers/prometheus", "servers/prometheus/prometheus", "servers/prometheus/promtool"]


def test_a_bare_machine_needs_everything() -> None:
    steps = plan()
    assert [step.needed for step in steps] == [True, True, True]
    assert [len(step.sources) for step in steps] == [2, 2, 1]
    assert "official release https://github.com/prometheus/prometheus/releases/" in steps[0].describe()
    assert steps[2].describe().startswith("Redis (optional): the distribution's signed package")
    assert not cache_dir().exists()  # a plan writes nothing


def test_what_is_usable_is_left_alone(tmp_path: Path) -> None:
    for name in ("prometheus", "promtool", "redis-server"):
        program(tmp_path / "onpath" / name)
    flag = program(tmp_path / "own/alertmanager", "0.28.1")
    steps = plan(alertmanager=flag)
    assert [step.needed for step in steps] == [False, False, False]
    assert f"nothing to do: alertmanager 0.28.1 from the flag ({flag})" in steps[1].describe()
    lines: list[str] = []
    install(steps, lines.append)
    assert lines == [step.describe() for step in steps]
    assert not cache_dir().exists()


def test_a_server_without_its_needed_tool_is_completed(tmp_path: Path) -> None:
    program(tmp_path / "onpath/prometheus")
    assert plan()[0].needed


def test_a_bad_binary_of_the_users_is_an_error_and_not_papered_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "onpath/prometheus", "2.31.2")
    with pytest.raises(BinaryTooOldError):
        plan()
    with pytest.raises(BinaryUnusableError):
        plan(prometheus=tmp_path / "nowhere")
    monkeypatch.setenv("LAB_PROMETHEUS_BIN", "/nowhere/prometheus")
    with pytest.raises(BinaryUnusableError):
        plan()


def test_a_bad_redis_on_path_is_a_note_but_a_bad_variable_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onpath/redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "onpath/redis-server").chmod(0o755)
    step = plan()[2]
    assert not step.needed
    assert "Redis (optional): not used: " in step.describe()
    monkeypatch.setenv("LAB_REDIS_BIN", "/nowhere/redis-server")
    with pytest.raises(BinaryUnusableError):
        plan()


def test_a_bad_cached_server_is_replaced(tmp_path: Path) -> None:
    program(tmp_path / "cache/servers/prometheus/prometheus", "2.0.0")
    assert plan()[0].needed
    install([Step(PROMETHEUS, sources=(Fake(),))], lambda line: None)
    assert find("prometheus").version == (3, 5, 0)
    assert left_in_cache() == WHOLE


def test_the_next_source_is_tried_when_one_fails() -> None:
    lines: list[str] = []
    install([Step(PROMETHEUS, sources=(Fake(fails=SourceError("no network")), Fake("2.53.0")))], lines.append)
    assert lines[0] == "Prometheus: no network"
    assert lines[1].startswith("Prometheus: installed prometheus 2.53.0, promtool 2.53.0 from a made-up source")
    assert left_in_cache() == WHOLE


def test_what_is_fetched_is_run_before_it_is_believed() -> None:
    lines: list[str] = []
    old = Fake("2.31.2")
    incomplete = Fake(names=("prometheus",))
    with pytest.raises(InstallError) as caught:
        install([Step(PROMETHEUS, sources=(old, incomplete))], lines.append)
    assert caught.value.exit_code == 3
    message = str(caught.value)
    assert "the prometheus is Prometheus 2.31.2; the lab needs 2.42 or later" in message
    assert "has no promtool" in message
    assert "into LAB_PROMETHEUS_BIN and LAB_PROMTOOL_BIN" in message
    assert "\n" not in message
    assert left_in_cache() == []


def test_an_optional_server_that_cannot_be_had_is_a_note() -> None:
    lines: list[str] = []
    install([Step(REDIS, sources=(Fake(fails=SourceError("no apt-get")),))], lines.append)
    assert lines[-1].startswith("Redis: not installed; it is optional")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), MemoryError()])
def test_an_interrupted_install_leaves_nothing_half_done(interruption: BaseException) -> None:
    with pytest.raises(type(interruption)):
        install([Step(PROMETHEUS, sources=(Fake(fails=interruption),))], lambda line: None)
    assert left_in_cache() == []


def test_a_full_disk_is_one_clear_line() -> None:
    with pytest.raises(InstallError, match=r"cannot write to the cache"):
        install([Step(PROMETHEUS, sources=(Fake(fails=OSError(28, "No space left")),))], lambda line: None)


def test_leftovers_of_a_killed_install_are_swept_and_nothing_else() -> None:
    program(cache_dir() / "incoming-dead/prometheus/prometheus")
    program(cache_dir() / "other/thing")
    install([Step(PROMETHEUS, sources=(Fake(),))], lambda line: None)
    assert left_in_cache() == ["other", "other/thing", *WHOLE]


def test_an_unwritable_cache_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "file/cache"))
    with pytest.raises(LabError, match="set LAB_CACHE_DIR") as caught:
        install([Step(PROMETHEUS, sources=(Fake(),))], lambda line: None)
    assert caught.value.exit_code == 3


def test_two_installs_at_once_fetch_once_and_both_succeed() -> None:
    """The second waits for the lock, then finds the work done."""
    waiting = threading.Event()
    first = Fake(during=lambda: assert_set(waiting))
    second = Fake()
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        waiting.set()

    def other() -> None:
        holds.wait(5)
        install([Step(PROMETHEUS, sources=(second,))], hear)

    holds = threading.Event()
    first.during = lambda: (holds.set(), assert_set(waiting))[1]
    thread = threading.Thread(target=other)
    thread.start()
    install([Step(PROMETHEUS, sources=(first,))], lambda line: None)
    thread.join()
    assert (first.fetched, second.fetched) == (1, 0)
    assert lines[0] == "another `lab install` is at work; waiting for it"
    assert "installed meanwhile by another" in lines[1]
    assert left_in_cache() == WHOLE


def assert_set(event: threading.Event) -> None:
    assert event.wait(5)


def test_waiting_for_another_install_has_an_end() -> None:
    with locked(print), pytest.raises(LabError, match="for too long"), locked(lambda line: None, wait_s=0.0):
        pass


def _die_holding_the_lock(ready: object) -> None:
    context = locked(print)
    context.__enter__()
    os._exit(9)


def test_a_lock_dies_with_its_holder() -> None:
    child = multiprocessing.get_context("spawn").Process(target=_die_holding_the_lock, args=(None,))
    child.start()
    child.join()
    assert child.exitcode == 9
    with locked(lambda line: pytest.fail(line), wait_s=0.0):
        pass


def test_adopting_replaces_as_a_whole() -> None:
    cache_dir().mkdir()
    for version in ("1.0.0", "2.0.0"):
        with incoming() as scratch:
            program(scratch / "prometheus/prometheus", version)
            final = adopt(scratch / "prometheus", "prometheus")
    assert "version 2.0.0" in (final / "prometheus").read_text()
    assert left_in_cache() == ["servers", "servers/prometheus", "servers/prometheus/prometheus"]


def test_the_cache_is_the_users_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LAB_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_dir().name == "monitoring-failure-lab"
    assert tmp_path in cache.cache_dir().parents


def test_every_program_belongs_to_one_server() -> None:
    names = [name for server in SERVERS for name in server.programs]
    assert sorted(names) == ["alertmanager", "amtool", "prometheus", "promtool", "redis-server"]
    assert isinstance(ALERTMANAGER, Server) and ALERTMANAGER.extra == ("amtool",)


def test_a_cache_whose_servers_folder_is_in_the_way_is_one_clear_line() -> None:
    cache_dir().mkdir()
    (cache_dir() / "servers").write_text("in the way")
    with pytest.raises(InstallError, match=r"cannot write to the cache .*servers.*set LAB_CACHE_DIR"):
        install([Step(PROMETHEUS, sources=(Fake(),))], print)


@pytest.mark.parametrize("variable", ["LAB_CACHE_DIR", "LAB_PROMETHEUS_BIN"])
def test_a_home_of_nobody_is_bad_input(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "~nobody-of-that-name/x")
    with pytest.raises(UsageError, match=f"^{variable} ~nobody-of-that-name/x: whose home that is, is not known"):
        find("prometheus")
