"""Images that are made or fetched, by an engine that is played: bases, refusals, and what a kill leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from lab.cli import run_cli
from lab.errors import LabError
from lab.identity import Identity
from lab.images import build, choose, promtool, servers
from lab.images.build import BASE, base_image
from lab.install import BinaryMissingError
from lab.paths import compose_dir
from lab.registry import entries
from lab.runtime.containers import LABEL
from lab.sweep import sweep

PINNED = ["prom/prometheus:v3.5.0", "prom/alertmanager:v0.28.1", "redis:7.4-alpine", "grafana/grafana:12.0.0"]


@dataclass
class Played:
    """An engine that says of every base what `base_says`, and pulls what is not refused."""

    tags: list[str] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    base_says: bytes | Exception | BaseException = b"3.12 /usr/bin/wget\n"
    pulled: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    """The runs that were registered while a container was there."""

    @property
    def images(self) -> Any:
        return SimpleNamespace(list=self._list, pull=self._pull, build=self._build)

    @property
    def containers(self) -> Any:
        return SimpleNamespace(run=self._run, create=self._run)

    def close(self) -> None:
        pass

    def _list(self) -> list[Any]:
        return [SimpleNamespace(id=f"sha256:{tag}", tags=[tag], attrs={}) for tag in self.tags]

    def _pull(self, name: str) -> None:
        self.pulled.append(name)
        if name in self.refuses:
            raise docker.errors.NotFound(f"no {name} at the registry")
        self.tags.append(name if ":" in name else f"{name}:latest")

    def _build(self, *, tag: str, buildargs: dict[str, str], **_options: Any) -> tuple[Any, list[Any]]:
        self.built.append(f"{tag} on {buildargs['BASE']}")
        self.tags.append(tag)
        return SimpleNamespace(id=f"sha256:{tag}"), []

    def _run(self, *_args: Any, labels: dict[str, str], **_options: Any) -> bytes:
        self.labels.append(labels)
        self.registered += [entry.run_id for _, entry in entries()]
        if isinstance(self.base_says, BaseException):
            raise self.base_says
        return self.base_says


@pytest.fixture(autouse=True)
def machine(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMETHEUS_IMAGE", "ALERTMANAGER_IMAGE", "REDIS_IMAGE", "GRAFANA_IMAGE", "TOOLS_IMAGE", "BASE_IMAGE"):
        monkeypatch.delenv(f"LAB_{name}", raising=False)
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "_wheels", lambda *_: None)
    monkeypatch.setattr(build, "_libraries", lambda _: [])


def fetched(engine: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    monkeypatch.setattr("lab.commands.images.connect", lambda: engine)
    code = run_cli(["install", "--images"])
    return code, capsys.readouterr().err.splitlines()[-1]


# `lab install --images`


def test_a_fresh_machine_gets_the_base_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Played()
    assert fetched(engine, monkeypatch, capsys)[0] == 0
    assert engine.pulled == [*PINNED, BASE]
    assert engine.built == [f"lab-tools:local on {BASE}"]
    assert all(one.present for one in choose(engine).values())


def test_a_base_that_is_there_is_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB_BASE_IMAGE", "mine")
    engine = Played([*PINNED, "mine:latest"], base_says=b"3.11 \n")
    assert fetched(engine, monkeypatch, capsys)[0] == 0, "the lab's own image needs no wget"
    assert (engine.pulled, engine.built) == ([], ["lab-tools:local on mine"])


def test_whatever_is_refused_is_told_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = fetched(Played(refuses=(PINNED[0], BASE)), monkeypatch, capsys)
    assert code == 3
    assert said == (
        f"lab: {PINNED[0]}: no {PINNED[0]} at the registry; `lab images build` makes images here; "
        f"{BASE}: no {BASE} at the registry, to build the lab's own image on; LAB_BASE_IMAGE names another base"
    )
    code, said = fetched(Played(refuses=(PINNED[1],), base_says=b"3.9 \n"), monkeypatch, capsys)
    assert (code, f"no {PINNED[1]} at" in said, "has Python 3.9" in said) == (3, True, True)


def test_without_grafana_alone_all_else_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Played(refuses=(PINNED[3],))
    code, said = fetched(engine, monkeypatch, capsys)
    assert (code, said.endswith("at the registry; all else works without it")) == (3, True)
    assert engine.built, "it keeps nothing else from being made"


# The base


def test_a_base_without_wget_is_refused_before_anything_is_built() -> None:
    engine = Played(base_says=b"3.12 \n")
    with pytest.raises(LabError) as refused:
        build.build(engine, "slim:1", print)
    assert str(refused.value) == (
        "slim:1: has no wget, which the servers' health checks call; "
        "name one with python3 >= 3.11 with venv, and wget, by --base or LAB_BASE_IMAGE"
    )
    assert engine.built == []


def test_the_base_is_one_in_every_place() -> None:
    assert "slim" not in BASE
    for name in ("Dockerfile", "Dockerfile.server"):
        assert f"\nARG BASE={BASE}\n" in (compose_dir() / name).read_text()


def test_a_base_may_be_named_without_its_tag_and_one_that_is_not_there_has_a_remedy() -> None:
    assert base_image(Played(["mine:latest"]), "mine") == "mine"
    with pytest.raises(LabError, match="no image mine:2 at the engine to build on; `docker pull mine:2`, or name one"):
        base_image(Played(["mine:latest"]), "mine:2")


# Redis


def made_redis(onpath: Path, monkeypatch: pytest.MonkeyPatch, server: Path | None) -> tuple[list[str], list[str]]:
    """The paths that go into its image, and what was told."""

    def find(name: str) -> Any:
        if server is None:
            raise BinaryMissingError("Redis was not found", "run `lab install`", name)
        return SimpleNamespace(path=server)

    monkeypatch.setattr(build, "find", find)
    monkeypatch.setenv("PATH", str(onpath))
    told: list[str] = []
    return [str(path) for path in build._redis(told.append)], told


def a_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_client_of_redis_is_looked_for_beside_it_and_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_program(tmp_path / "opt/bin/redis-server")
    link = tmp_path / "links/redis-server"
    link.parent.mkdir()
    link.symlink_to(server)
    onpath = a_program(tmp_path / "onpath/redis-cli")
    assert made_redis(onpath.parent, monkeypatch, server) == ([str(server), str(onpath)], [])
    beside = a_program(server.parent / "redis-cli")
    assert made_redis(tmp_path / "empty", monkeypatch, server) == ([str(server), str(beside)], [])
    assert made_redis(onpath.parent, monkeypatch, link) == ([str(link), str(beside)], []), "of the same release"


def test_without_redis_or_its_client_there_is_no_image_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_program(tmp_path / "opt/bin/redis-server")
    paths, told = made_redis(tmp_path / "empty", monkeypatch, server)
    assert (paths, len(told)) == ([], 1)
    assert told[0].startswith("no image for redis: no redis-cli")
    assert f"beside {server} or on PATH" in told[0]
    paths, told = made_redis(tmp_path / "empty", monkeypatch, None)
    assert (paths, len(told)) == ([], 1)


def test_an_image_is_made_of_each_server_but_of_a_redis_that_has_no_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "find", lambda name: SimpleNamespace(path=a_program(tmp_path / "opt" / name)))
    engine, told = Played(), list[str]()
    build.build(engine, "b:1", told.append)
    assert engine.built == [f"lab-{name}:local on b:1" for name in ("tools", "prometheus", "alertmanager")]
    assert any("no image for redis" in line for line in told)


# What a kill leaves


def everything_asked(engine: Played) -> None:
    """Every container that lives for a question, at once."""
    engine.base_says = b"prometheus, version 3.5.0\nalertmanager, version 0.28.1\n"
    chosen = choose(engine)
    servers(engine, chosen)
    engine.base_says = docker.errors.APIError("not this one")
    with pytest.raises(LabError):
        promtool(engine, chosen["prometheus"])
    engine.base_says = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        build.build(engine, "b:1", print)


def test_a_container_for_a_question_is_registered_as_long_as_it_may_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///played.sock")
    engine = Played(PINNED)
    everything_asked(engine)
    ids = [one[LABEL] for one in engine.labels]
    assert len(ids) == len(set(ids)) == 6
    assert set(ids) == set(engine.registered), "each was registered before it was made"
    left = [entry for _, entry in entries()]
    assert sorted(entry.run_id for entry in left) == sorted(ids[-2:]), "what was answered has gone, the rest may be"
    assert {entry.engine for entry in left} == {"unix:///played.sock"}


def test_a_sweep_removes_it_when_who_asked_is_dead_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///played.sock")
    removed: list[tuple[str, str]] = []
    monkeypatch.setattr("lab.runtime.leftovers.remove_all", lambda at, run_id: removed.append((at, run_id)) or 1)
    engine = Played(base_says=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        build.build(engine, "b:1", print)
    assert (sweep(), removed) == ([], []), "this process still lives"
    monkeypatch.setattr(Identity, "alive", lambda self: False)
    (swept,) = sweep()
    assert removed == [("unix:///played.sock", engine.labels[0][LABEL])]
    assert (swept.containers, list(entries())) == (1, [])


# Grafana and `lab up`


@pytest.mark.parametrize(("runtime", "lines"), [("docker", 1), ("native", 0)])
def test_lab_up_in_containers_says_where_grafana_is(
    runtime: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lab.commands.classroom.up_command", lambda name, given: 0)
    there = SimpleNamespace(status=lambda: SimpleNamespace(runtime=runtime))
    monkeypatch.setattr("lab.classroom.client.require_up", lambda: there)
    assert run_cli(["up"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == lines
    assert all(f"docker compose -f {compose_dir() / 'compose.yaml'} up" in line and "Grafana" in line for line in said)
