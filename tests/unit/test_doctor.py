"""What the doctor says about machines that lack something. The machine is played, nothing is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from lab import doctor
from lab.doctor import Item, Report, examine

NAMES = ["python", "prometheus", "promtool", "alertmanager", "amtool", "redis-server", "locust", "volume"]
NAMES += ["docker", "images", "disk", "memory", "cores", "loopback", "chromium"]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LAB_"):
            monkeypatch.delenv(name)
    (tmp_path / "onpath").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "onpath"))
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def by_name(report: Report) -> dict[str, Item]:
    return {item.name: item for item in report.items}


def test_a_bare_machine_misses_servers_and_gets_a_remedy_for_each() -> None:
    report = examine()
    items = by_name(report)
    assert [item.name for item in report.items] == NAMES
    assert {name for name in NAMES if items[name].status == "missing"} >= {
        "prometheus",
        "promtool",
        "alertmanager",
    }
    assert not report.ok
    assert (items["amtool"].status, items["redis-server"].status) == ("optional", "optional")
    assert items["prometheus"].remedy == "run `lab install`, or set LAB_PROMETHEUS_BIN"
    assert all(item.remedy for item in report.items if item.status == "missing")
    assert all(not item.remedy for item in report.items if item.status == "ok")


def test_flags_are_examined_and_tools_beside_them_are_found(tmp_path: Path) -> None:
    server = program(tmp_path / "prometheus", "echo 'prometheus, version 3.5.0 ()'")
    tool = program(tmp_path / "promtool", "echo 'promtool, version 3.5.0 ()'")
    items = by_name(examine({"prometheus": server}))
    assert items["prometheus"] == Item("prometheus", "ok", f"3.5.0 ({server}, flag)")
    assert items["promtool"] == Item("promtool", "ok", f"3.5.0 ({tool}, flag)")


def test_a_bad_flag_is_missing_with_its_remedy(tmp_path: Path) -> None:
    items = by_name(examine({"prometheus": tmp_path / "nowhere"}))
    assert items["prometheus"].status == "missing"
    assert items["prometheus"].found == f"{tmp_path / 'nowhere'} does not exist"
    assert "correct the flag" in items["prometheus"].remedy


def test_json_and_lines_say_the_same() -> None:
    report = Report((Item("a", "ok", "1.0"), Item("b", "missing", "nothing", "get it")))
    assert json.loads(json.dumps(report.to_json())) == {
        "ok": False,
        "items": [
            {"name": "a", "status": "ok", "found": "1.0", "remedy": ""},
            {"name": "b", "status": "missing", "found": "nothing", "remedy": "get it"},
        ],
    }
    lines = [line.split() for line in report.to_lines()]
    assert lines == [["ok", "a", "1.0"], ["missing", "b", "nothing"], ["->", "get", "it"]]
    assert Report((Item("a", "optional", "none", "x"),)).ok


def test_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_PYTHON", (9, 0))
    assert doctor.look_at_python().remedy == "use Python 9.0 or later"


def test_locust_is_looked_for_and_never_imported() -> None:
    code = "import sys, lab.doctor as d; print(d.examine().to_json()); print([m for m in sys.modules if m in "
    code += "('locust', 'gevent', 'httpx', 'numpy', 'fastapi')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert doctor.look_at_locust().status == "ok"


def test_missing_locust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert doctor.look_at_locust().status == "missing"


def test_a_volume_is_really_mounted(tmp_path: Path) -> None:
    program(tmp_path / "onpath/nsenter", "")
    program(tmp_path / "onpath/unshare", f'echo "$@" > {tmp_path}/argv')
    item = doctor.look_at_volume()
    assert (item.status, item.remedy) == ("ok", "")
    assert "mount -t tmpfs -o size=1m" in (tmp_path / "argv").read_text()


def test_a_forbidden_volume_is_optional_with_reason_and_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "onpath/nsenter", "")
    program(tmp_path / "onpath/unshare", "echo 'unshare: unshare failed: Operation not permitted'; exit 1")
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    item = doctor.look_at_volume()
    assert item.status == "optional"
    assert item.found == "unshare -Urm: unshare: unshare failed: Operation not permitted"
    assert "root" in item.remedy
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    assert "; unshare -m: " in doctor.look_at_volume().found


def test_a_volume_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "onpath/nsenter", "")
    program(tmp_path / "onpath/unshare", "kill -STOP $$")
    monkeypatch.setattr(doctor, "_VOLUME_S", 0.2)
    started = time.monotonic()
    assert "no answer in time" in doctor.look_at_volume().found
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("tool", ["unshare", "nsenter"])
def test_a_machine_without_util_linux(tmp_path: Path, tool: str) -> None:
    program(tmp_path / "onpath" / tool, "")
    assert doctor.look_at_volume().found == "no unshare and nsenter on this machine"


@pytest.mark.parametrize(
    ("file", "value", "setting"),
    [
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ],
)
def test_the_remedy_names_the_switch(
    file: str, value: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = tmp_path / "sys" / file
    switch.parent.mkdir(parents=True)
    switch.write_text(f"{value}\n")
    monkeypatch.setattr(doctor, "Path", lambda *parts: Path(str(tmp_path / "sys"), *parts[1:]))
    assert doctor._volume_remedy() == f"sudo sysctl {setting}, or run as root"
    switch.write_text("77\n")
    assert doctor._volume_remedy().startswith("run as root, or in a container")


def docker_sdk(monkeypatch: pytest.MonkeyPatch, from_env: Any) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(doctor.importlib, "import_module", lambda name: SimpleNamespace(from_env=from_env))


def test_docker_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    client = SimpleNamespace(version=lambda: {"Version": "27.1"}, close=lambda: closed.append(True))
    docker_sdk(monkeypatch, lambda timeout: client)
    assert doctor.look_at_docker() == Item("docker", "ok", "engine 27.1")
    assert closed == [True]


@pytest.mark.parametrize(("error", "more"), [
    (None, ""), (FileNotFoundError(2, "No such file"), ""), (PermissionError(13, "no"), " (permission denied)"),
    (RuntimeError("Connection aborted.", PermissionError(13, "no")), " (permission denied)"),
])  # fmt: skip
def test_no_docker_engine_is_optional_and_where_it_was_asked_is_told(
    error: Exception | None, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(timeout: int) -> None:
        raise RuntimeError("Error while fetching server API version:\n(2, 'No such file')") from error

    docker_sdk(monkeypatch, refuse)
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    item = doctor.look_at_docker()
    assert item.status == "optional"
    assert item.found == f"no Docker engine answers at tcp://10.0.0.1:2375{more}"
    assert item.remedy == "start it, or use --runtime native"


def test_no_docker_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert doctor.look_at_docker().found == "the Python package docker is not installed"


def test_disk_counts_the_fuller_of_two_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_place = tmp_path
    monkeypatch.chdir("/")
    monkeypatch.setattr(
        doctor.shutil,
        "disk_usage",
        lambda place: Usage(0, 0, (1 if Path(place) == cache_place else 50) * 1024**3),
    )
    item = doctor.look_at_disk()
    assert (item.status, item.found) == ("missing", f"1.0 GiB free at {cache_place}")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: Usage(0, 0, 5 * 1024**3))
    assert doctor.look_at_disk().status == "ok"


def test_memory_is_bounded_by_machine_and_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 1024**3))
    monkeypatch.setattr(doctor, "_cgroup_headroom", list)
    assert doctor.look_at_memory() == Item("memory", "ok", "8.0 GiB available")
    monkeypatch.setattr(doctor, "_cgroup_headroom", lambda: [512 * 1024**2])
    assert doctor.look_at_memory().status == "missing"
    assert doctor.look_at_memory().found == "0.5 GiB available"


def test_the_limit_of_a_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def played(*parts: str) -> Path:
        return tmp_path.joinpath(*(part.lstrip("/") for part in parts))

    group = tmp_path / "sys/fs/cgroup/box"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/box\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.current").write_text("700\n")
    (group / "memory.stat").write_text("anon 400\ninactive_file 100\n")
    monkeypatch.setattr(doctor, "Path", played)
    assert doctor._cgroup_headroom() == [400]
    (group / "memory.max").write_text("max\n")
    assert doctor._cgroup_headroom() == []


def test_one_core_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert doctor.look_at_cores().status == "optional"
    assert doctor.look_at_cores().found == "1 core"
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert doctor.look_at_cores() == Item("cores", "ok", "2 cores")


def test_loopback_is_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.look_at_loopback().status == "ok"

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(doctor.socket, "create_connection", refuse)
    item = doctor.look_at_loopback()
    assert (item.status, item.remedy) == ("missing", "ip link set lo up")
    assert item.found == "127.0.0.1: Network is unreachable"


def test_chromium_goes_by_several_names(tmp_path: Path) -> None:
    assert doctor.look_at_chromium().status == "optional"
    path = program(tmp_path / "onpath/google-chrome", "")
    assert doctor.look_at_chromium() == Item("chromium", "ok", str(path))


def test_an_examination_that_breaks_does_not_break_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Item:
        raise PermissionError(13, "no")

    monkeypatch.setattr(doctor, "look_at_disk", broken)
    item = by_name(examine())["disk"]
    assert item.status == "optional"
    assert item.found.startswith("could not be examined (PermissionError")
