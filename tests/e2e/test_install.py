"""`lab install` with the distribution's real apt: download, verify, unpack, run. Needs no root."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lab_run import hears_ctrl_c

from lab.install import Step, find, flags, install
from lab.install.cache import cache_dir
from lab.install.catalog import SERVERS, Server
from lab.install.debian import Package
from lab.install.source import SourceError

pytestmark = [
    pytest.mark.beside,
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (shutil.which("apt-get") and shutil.which("dpkg-deb")),
        reason="no apt-get and dpkg-deb: this machine is not of Debian's family",
    ),
]

PROMETHEUS, ALERTMANAGER, REDIS = SERVERS


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty cache and no server from elsewhere; apt and the shell stay on PATH."""
    for name in list(os.environ):
        if name.startswith("LAB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    yield
    assert not list(cache_dir().glob("incoming-*"))


def from_package(server: Server) -> list[str]:
    lines: list[str] = []
    install([Step(server, sources=(Package(server),))], lines.append)
    return lines


def cached(name: str, server: Server) -> Path:
    """The cached program; asked for by flag, so that one on PATH does not stand in for it."""
    return cache_dir() / "servers" / server.name / name


def test_prometheus_and_promtool_run_from_the_cache(tmp_path: Path) -> None:
    lines = from_package(PROMETHEUS)
    assert "Prometheus: installed prometheus 2." in lines[-1] or "prometheus 3." in lines[-1]
    server = find("prometheus", cached("prometheus", PROMETHEUS))
    assert {"--config.file", "--web.listen-address", "--storage.tsdb.path"} <= flags(server)
    promtool = find("promtool", cached("promtool", PROMETHEUS))
    assert promtool.version == server.version
    (tmp_path / "prometheus.yml").write_text("scrape_configs: []\n")
    check = subprocess.run(
        [promtool.path, "check", "config", tmp_path / "prometheus.yml"], timeout=20, capture_output=True
    )
    assert check.returncode == 0, check.stderr


def test_alertmanager_runs_from_the_cache_under_its_own_name() -> None:
    from_package(ALERTMANAGER)
    assert "--config.file" in flags(find("alertmanager", cached("alertmanager", ALERTMANAGER)))


def test_redis_runs_from_the_cache_or_is_a_note() -> None:
    lines = from_package(REDIS)
    path = cached("redis-server", REDIS)
    if not path.exists():
        pytest.skip(f"this distribution gives no redis-server: {lines[-2:]}")
    assert find("redis-server", path).version >= (5,)


def test_empty_package_lists_are_fetched_without_touching_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a fresh container; the emptiness is played by the configuration apt itself reads first."""
    empty = tmp_path / "empty-lists"
    (empty / "partial").mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(f'Dir::State::lists "{empty}";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    lines = from_package(ALERTMANAGER)
    assert "apt's package lists are empty or old here: fetching private ones" in lines
    assert find("alertmanager", cached("alertmanager", ALERTMANAGER)).version >= (0, 25)
    assert [path.name for path in empty.iterdir() if path.name not in ("lock", "partial", "auxfiles")] == []


def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up distribution in a folder, unsigned, with one package; apt is pointed at nothing else."""
    root = tmp_path / "repository"
    program = root / "tree/usr/bin/prometheus-alertmanager"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'alertmanager, version 0.99.0 ()'\n")
    program.chmod(0o755)
    control = "Package: prometheus-alertmanager\nVersion: 9\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    (root / "tree/DEBIAN").mkdir()
    (root / "tree/DEBIAN/control").write_text(control)
    deb = root / "a.deb"
    subprocess.run(["dpkg-deb", "-b", root / "tree", deb], check=True, capture_output=True, timeout=30)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    (root / "Packages").write_text(f"{control}Filename: ./a.deb\nSize: {deb.stat().st_size}\nSHA256: {digest}\n")
    for name in ("lists/partial", "sources.d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourceparts "{tmp_path}/sources.d";\nDir::State::lists "{tmp_path}/lists";\n'
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return root


def test_an_unsigned_distribution_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, monkeypatch)
    scratch = tmp_path / "scratch/alertmanager"
    scratch.mkdir(parents=True)
    source = Package(replace(ALERTMANAGER, extra=()))

    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{root} ./\n")
    source.fetch(scratch, lambda line: None)  # the made-up distribution is in order ...
    assert (scratch / "alertmanager").exists()

    shutil.rmtree(scratch.parent)
    scratch.mkdir(parents=True)
    (tmp_path / "sources.list").write_text(f"deb file:{root} ./\n")
    with pytest.raises(SourceError, match=r"not signed|Release file"):  # ... but for its signature
        source.fetch(scratch, lambda line: None)
    assert list(scratch.iterdir()) == []


def test_a_package_that_was_altered_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, monkeypatch)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{root} ./\n")
    altered = bytearray((root / "a.deb").read_bytes())
    altered[-1] ^= 1
    (root / "a.deb").write_bytes(altered)
    scratch = tmp_path / "scratch/alertmanager"
    scratch.mkdir(parents=True)
    with pytest.raises(SourceError, match=r"(?i)hash"):
        Package(replace(ALERTMANAGER, extra=())).fetch(scratch, lambda line: None)
    assert list(scratch.iterdir()) == []


INTERRUPTED = """\
import sys
from lab.install import Step, install
from lab.install.catalog import SERVERS
from lab.install.debian import Package
install([Step(SERVERS[0], sources=(Package(SERVERS[0]),))], lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_install_can_simply_be_repeated(number: signal.Signals) -> None:
    argv = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, preexec_fn=hears_ctrl_c) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "apt-get download prometheus\n"
        child.send_signal(number)
        child.wait(timeout=20)
    assert not cached("prometheus", PROMETHEUS).exists()
    assert bool(list(cache_dir().glob("incoming-*"))) is (number is signal.SIGKILL)
    from_package(PROMETHEUS)
    assert find("prometheus", cached("prometheus", PROMETHEUS)).version >= (2, 42)
