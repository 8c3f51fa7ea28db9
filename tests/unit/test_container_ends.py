"""How a container's end is told: killed at its limit only when the engine or the kernel says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.images.engine import EngineError
from lab.runtime import ends as module
from lab.runtime.containers import Container
from lab.runtime.ends import Ends, cgroup_files
from lab.runtime.protocol import ServiceSpec


class Engine:
    """An engine whose events a test gives one by one."""

    def __init__(self) -> None:
        self.api = SimpleNamespace(timeout=60)
        self.told: list[dict[str, Any]] = []

    def events(self, **_: Any) -> Any:
        return iter(())

    def close(self) -> None:
        pass


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Ends:
    monkeypatch.setattr("lab.images.engine.connect", Engine)
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    monkeypatch.setattr(Ends, "_listen", lambda self: None)
    return Ends("run-1")


def event(action: str, code: str = "") -> dict[str, Any]:
    return {"Action": action, "Actor": {"ID": "c1", "Attributes": {"exitCode": code}}}


def container(ends: Ends, memory_mib: float | None = 192.0) -> Container:
    spec = ServiceSpec("rag", ("x",), "/", "http", memory_mib=memory_mib)
    return Container(spec, Path("x.log"), SimpleNamespace(id="c1"), ends)


def test_a_kill_that_nobody_saw_the_kernel_do_is_a_signal(ends: Ends) -> None:
    ends._take(event("die", "137"))
    assert container(ends).exit_code() == -9
    assert container(ends).how_it_ended() == "signal 9"


@pytest.mark.parametrize("order", [("oom", "die"), ("die", "oom")])
def test_the_engines_event_says_that_it_was_the_limit_in_either_order(ends: Ends, order: tuple[str, str]) -> None:
    for action in order:
        ends._take(event(action, "137"))
    how = "killed by the kernel at its memory limit of 192 MiB (the engine's oom event)"
    assert container(ends).how_it_ended() == how


def test_the_cgroups_count_says_so_too(ends: Ends, tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n")
    ends._count("c1", events)
    ends._take(event("die", "137"))
    assert container(ends).how_it_ended().endswith("192 MiB (the cgroup's oom_kill)")


def test_a_cgroup_in_which_nothing_was_killed_says_nothing(ends: Ends, tmp_path: Path) -> None:
    control = tmp_path / "memory.oom_control"
    control.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
    ends._codes["c1"] = 137  # ended: one look, and no more
    ends._count("c1", control)
    assert container(ends).how_it_ended() == "signal 9"


def test_a_service_without_a_limit_of_its_own_was_not_killed_at_it(ends: Ends) -> None:
    ends._take(event("oom"))
    ends._take(event("die", "2"))
    assert container(ends, None).how_it_ended() == "exit code 2"


def test_with_the_engine_gone_nobody_can_tell(ends: Ends) -> None:
    assert container(ends).exit_code() is None
    ends._gone = "the Docker engine is gone: ReadTimeout"
    with pytest.raises(EngineError, match="the Docker engine is gone"):
        container(ends).exit_code()
    ends._take(event("die", "0"))
    assert container(ends).exit_code() == 0


def test_where_the_kernel_counts(tmp_path: Path) -> None:
    for pid, text in (
        (1, "12:cpu,cpuacct:/docker/abc\n7:memory:/docker/abc\n0::/docker/abc\n"),
        (2, "0::/system.slice/docker-abc.scope\n"),
        (3, "12:cpu:/docker/abc\n"),
    ):
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cgroup").write_text(text)
    root = Path("/c")
    assert cgroup_files(1, root, tmp_path / "proc")[0] == Path("/c/memory/docker/abc/memory.oom_control")
    assert cgroup_files(2, root, tmp_path / "proc") == [Path("/c/system.slice/docker-abc.scope/memory.events")]
    assert cgroup_files(3, root, tmp_path / "proc") == []
    assert cgroup_files(4, root, tmp_path / "proc") == []
