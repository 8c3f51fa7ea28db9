"""Where a binary comes from, and what is said about a bad one. Small scripts play the servers."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import until

from lab.errors import UsageError
from lab.install import (
    BinaryError,
    BinaryMissingError,
    BinaryTooOldError,
    BinaryUnusableError,
    find,
    flags,
    probe,
)
from lab.install.bounded import OUTPUT_LIMIT, run
from lab.install.probe import parse_flags, parse_version

Fake = Callable[..., Path]


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on PATH, nothing cached and no LAB_ variable."""
    for name in list(os.environ):
        if name.startswith("LAB_"):
            monkeypatch.delenv(name)
    (tmp_path / "onpath").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "onpath"))
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(probe, "DEADLINE_S", 1.0)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Write a script that answers --version, by default like the program its file is named after."""

    def write(place: str, *, says: str | None = None, version: str = "3.5.0", mode: int = 0o755) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.name.removeprefix("prometheus-")
        says = f"{name}, version {version} (branch: HEAD, revision: abc)" if says is None else says
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(mode)
        return path

    return write


def script(path: Path, body: str) -> Path:
    path.write_text(body)
    path.chmod(0o755)
    return path


def refusal(name: str = "prometheus", explicit: Path | None = None) -> BinaryError:
    with pytest.raises(BinaryError) as caught:
        find(name, explicit)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return caught.value


def test_order_is_flag_then_variable_then_path_then_cache(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, env = fake("flag/prometheus"), fake("env/prometheus")
    on_path, cached = fake("onpath/prometheus"), fake("cache/servers/prometheus/prometheus")
    monkeypatch.setenv("LAB_PROMETHEUS_BIN", str(env))

    assert (find("prometheus", flag).path, find("prometheus", flag).source) == (flag, "flag")
    assert (find("prometheus").path, find("prometheus").source) == (env, "env")
    monkeypatch.setenv("LAB_PROMETHEUS_BIN", "")
    assert (find("prometheus").path, find("prometheus").source) == (on_path, "path")
    on_path.unlink()
    assert (find("prometheus").path, find("prometheus").source) == (cached, "cache")
    cached.unlink()
    missing = refusal()
    assert isinstance(missing, BinaryMissingError)
    assert str(missing).startswith("Prometheus was not found")
    assert str(missing).endswith("run `lab install`, or set LAB_PROMETHEUS_BIN")


def test_version_is_read_as_numbers_and_kept_as_text(fake: Fake) -> None:
    found = find("prometheus", fake("prometheus", version="2.53.1+ds1"))
    assert (found.version, found.version_text) == ((2, 53, 1), "2.53.1+ds1")
    assert find("prometheus", fake("prometheus", version="3.6.0-rc.0")).version == (3, 6, 0)
    assert parse_version("9" * 5000)  # no ValueError from int()


def test_debian_calls_alertmanager_by_another_name(fake: Fake) -> None:
    path = fake("onpath/prometheus-alertmanager", version="0.25.0")
    assert find("alertmanager").path == path
    other = fake("onpath/alertmanager", version="0.28.1")
    assert find("alertmanager").path == other


def test_redis_says_its_version_in_its_own_way(fake: Fake) -> None:
    fake("onpath/redis-server", says="Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc bits=64")
    assert find("redis-server").version == (7, 0, 15)


def test_a_tool_is_taken_from_beside_its_server(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake("onpath/promtool", version="2.42.0")
    server, tool = fake("own/prometheus"), fake("own/promtool")
    monkeypatch.setenv("LAB_PROMETHEUS_BIN", str(server))
    assert (find("promtool").path, find("promtool").source) == (tool, "env")
    monkeypatch.delenv("LAB_PROMETHEUS_BIN")
    assert find("promtool").version == (2, 42, 0)
    assert find("promtool", beside=find("prometheus", server)).path == tool


def test_a_tool_is_found_behind_the_symlink_of_its_server(fake: Fake, tmp_path: Path) -> None:
    server, tool = fake("opt/prometheus"), fake("opt/promtool")
    (tmp_path / "onpath/prometheus").symlink_to(server)
    assert find("promtool").path == tool


def test_a_tool_without_a_server_comes_from_path(fake: Fake) -> None:
    tool = fake("onpath/amtool")
    assert find("amtool").path == tool


@pytest.mark.parametrize("source", ["flag", "env", "path"])
def test_a_bad_binary_is_never_passed_over(
    fake: Fake, source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake("cache/servers/prometheus/prometheus")
    bad = fake("onpath/prometheus" if source == "path" else "bad/prometheus", version="2.41.0")
    if source == "env":
        monkeypatch.setenv("LAB_PROMETHEUS_BIN", str(bad))
    error = refusal(explicit=bad if source == "flag" else None)
    assert isinstance(error, BinaryTooOldError)
    assert (error.path, error.source) == (bad, source)
    remedy = {"flag": "correct the flag", "env": "correct LAB_PROMETHEUS_BIN", "path": "take it off PATH"}
    assert f"{bad} is Prometheus 2.41.0; the lab needs 2.42 or later: {remedy[source]}" in str(error)


def test_alertmanager_and_tools_have_minimums_of_their_own(fake: Fake) -> None:
    assert "needs 0.25 or later" in str(refusal("alertmanager", fake("alertmanager", version="0.24.0")))
    assert "needs 0.25 or later" in str(refusal("amtool", fake("amtool", version="0.24.0")))
    assert "needs 2.42 or later" in str(refusal("promtool", fake("promtool", version="2.37.0")))
    assert find("alertmanager", fake("alertmanager", version="0.25.0")).version == (0, 25, 0)


def test_another_program_is_quoted_and_named(fake: Fake) -> None:
    path = fake("prometheus", says="GNU coreutils 9.1")
    assert f"{path} is not Prometheus (--version says 'GNU coreutils 9.1')" in str(refusal(explicit=path))
    swapped = fake("swapped/prometheus", says="alertmanager, version 0.28.1 (branch: HEAD)")
    assert "is not Prometheus" in str(refusal(explicit=swapped))


def test_terminal_escapes_of_a_stranger_are_not_passed_on(fake: Fake) -> None:
    error = refusal(explicit=fake("prometheus", says="\x1b]0;owned\x07" + "x" * 500))
    assert "\x1b" not in str(error) and "\x07" not in str(error)
    assert len(str(error).replace(str(error.path), "")) < 250


def test_silence_is_named(tmp_path: Path) -> None:
    path = script(tmp_path / "prometheus", "#!/bin/sh\nexit 3\n")
    assert "printed nothing, exit code 3" in str(refusal(explicit=path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_text("#!/bin/sh\n"), "is not executable"),
        (lambda path: script(path, "\x7fELF of another machine"), "no program for this machine"),
        (lambda path: script(path, "#!/no/such/interpreter\n"), "its loader is not on this machine"),
        (lambda path: script(path, "#!/bin/sh\nkill -STOP $$\n"), "did not answer --version within 1 s"),
    ],
)
def test_what_cannot_be_run_is_said_in_words(make: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    path = tmp_path / "prometheus"
    make(path)
    error = refusal(explicit=path)
    assert isinstance(error, BinaryUnusableError)
    assert str(error).startswith(f"{path} ") and words in str(error)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="one of prometheus"):
        find("grafana")


HELP = """\
usage: prometheus [<flags>]

Flags:
  -h, --[no-]help                Show context-sensitive help (also try
                                 --help-long and --help-man).
      --config.file="prometheus.yml"
                                 Prometheus configuration file path.
      --[no-]web.enable-lifecycle
      --web.listen-address=0.0.0.0:9090 ...
"""


def test_flags_are_those_of_the_help_not_of_its_prose() -> None:
    assert parse_flags(HELP) == {
        "--help",
        "--no-help",
        "--config.file",
        "--web.enable-lifecycle",
        "--no-web.enable-lifecycle",
        "--web.listen-address",
    }


def test_flags_are_asked_once_until_the_file_changes(tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def write(flag: str) -> Path:
        body = f"#!/bin/sh\necho asked >> {calls}\necho 'prometheus, version 3.5.0'\necho '      --{flag}'\n"
        return script(tmp_path / "prometheus", body)

    binary = find("prometheus", write("old"))
    calls.unlink()
    assert flags(binary) == flags(binary) == {"--old"}
    assert calls.read_text() == "asked\n"
    os.utime(write("new"), ns=(1, 1))
    assert flags(binary) == {"--new"}


def test_flags_of_a_binary_that_vanished_are_a_usage_error(fake: Fake) -> None:
    binary = find("prometheus", fake("prometheus"))
    binary.path.unlink()
    with pytest.raises(BinaryUnusableError, match="cannot be asked"):
        flags(binary)


def test_flags_of_a_binary_that_hangs_are_a_usage_error(tmp_path: Path) -> None:
    body = "#!/bin/sh\n[ $1 = --help ] && kill -STOP $$\necho 'prometheus, version 3.5.0'\n"
    binary = find("prometheus", script(tmp_path / "prometheus", body))
    with pytest.raises(BinaryUnusableError, match="no answer within 1 s"):
        flags(binary)


def test_output_without_end_is_capped_and_ended() -> None:
    started = time.monotonic()
    outcome = run([sys.executable, "-c", "while True: print('x' * 9999)"], deadline_s=0.5)
    assert outcome.returncode is None
    assert time.monotonic() - started < 3
    outcome = run([sys.executable, "-c", f"print('x' * {OUTPUT_LIMIT * 3})"], deadline_s=20)
    assert outcome.ok and len(outcome.text) == OUTPUT_LIMIT


def test_a_grandchild_that_holds_the_pipe_neither_delays_nor_survives(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = script(
        tmp_path / "prometheus",
        f"#!/bin/sh\n(exec /bin/sleep 600) &\necho $! > {pid_file}\necho 'prometheus, version 3.5.0'\n",
    )
    started = time.monotonic()
    assert run([program], deadline_s=20).ok
    assert time.monotonic() - started < 10
    until(lambda: gone(int(pid_file.read_text())), 5, "the grandchild has ended")


def gone(pid: int) -> bool:
    """Whether a process has ended; init may not have reaped it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def test_a_closed_pipe_does_not_end_the_wait_for_exit(tmp_path: Path) -> None:
    program = script(tmp_path / "quiet", "#!/bin/sh\nexec >&- 2>&-\nkill -STOP $$\n")
    assert run([program], deadline_s=0.3).returncode is None


def test_a_cache_closed_to_us_is_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.exists

    def exists(path: Path) -> bool:
        if path.is_relative_to(tmp_path / "cache"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "exists", exists)
    assert isinstance(refusal(), BinaryMissingError)


def test_cached_file_that_is_not_executable_asks_for_a_new_install(fake: Fake) -> None:
    path = fake("cache/servers/prometheus/prometheus", mode=stat.S_IRUSR)
    assert str(refusal()) == f"{path} is not executable: run `lab install` again"
