"""The official release, played by a local HTTP server: right, wrong, truncated, oversize, hostile."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from lab.install import Step, download, install, plan, tarball
from lab.install.catalog import SERVERS, Server
from lab.install.source import SourceError
from lab.install.tarball import Tarball, find_sum, release_platform

PROMETHEUS: Server = next(server for server in SERVERS if server.name == "prometheus")
STEM = "prometheus-3.5.0.linux-amd64"
FOLDER = "/prometheus/prometheus/releases/download/v3.5.0"


class Release:
    """A release page: `files` by path; `promise` is a Content-Length larger than the body; `moved` redirects."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.promise: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []

    def publish(self, packed: bytes, *, digest: str | None = None) -> None:
        digest = digest or hashlib.sha256(packed).hexdigest()
        self.files[f"{FOLDER}/sha256sums.txt"] = f"{digest}  {STEM}.tar.gz\n".encode()
        self.files[f"{FOLDER}/{STEM}.tar.gz"] = packed


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Release]:
    page = Release()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page.asked.append(self.path)
            if self.path in page.moved:
                self.send_response(302)
                self.send_header("Location", page.moved[self.path])
                self.end_headers()
                return
            body = page.files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(page.promise.get(self.path, len(body or b""))))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("LAB_RELEASE_URL", f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setenv("LAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(tarball.platform, "system", lambda: "Linux")
    monkeypatch.setattr(tarball.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(download, "_unreachable", {})
    yield page
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch" / "prometheus"
    folder.mkdir(parents=True)
    return folder


def says(name: str, version: str = "3.5.0") -> bytes:
    return f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)'\n".encode()


def pack(extra: dict[str, bytes] | None = None, members: list[tarfile.TarInfo] | None = None) -> bytes:
    """A tarball with both programs, a licence and much that nobody wants."""
    contents = {
        f"{STEM}/prometheus": says("prometheus"),
        f"{STEM}/promtool": says("promtool"),
        f"{STEM}/LICENSE": b"Apache",
        f"{STEM}/consoles/index.html": b"unwanted",
        **(extra or {}),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for member in members or []:
            archive.addfile(member)
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def refused(into: Path) -> str:
    with pytest.raises(SourceError) as caught:
        Tarball(PROMETHEUS).fetch(into, lambda line: None)
    assert not (into / "promtool").exists()
    return str(caught.value)


def test_a_good_release_gives_the_wanted_files_and_no_others(release: Release, into: Path) -> None:
    release.publish(pack())
    lines: list[str] = []
    Tarball(PROMETHEUS).fetch(into, lines.append)
    assert sorted(path.name for path in into.iterdir()) == ["LICENSE", "prometheus", "promtool"]
    assert (into / "prometheus").stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in into.parent.iterdir()) == ["prometheus"]
    assert lines[0].startswith("Prometheus: downloading http://127.0.0.1:")


def test_install_puts_a_good_release_into_the_cache(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.publish(pack())
    monkeypatch.setenv("PATH", str(tmp_path))
    lines: list[str] = []
    step = plan()[0]
    assert f"/{FOLDER}" not in step.describe()  # LAB_RELEASE_URL may end in a slash
    assert f"{FOLDER}/{STEM}.tar.gz; else the distribution's signed package prometheus" in step.describe()
    assert release.asked == []  # a plan asks nobody
    install([step], lines.append)
    assert "Prometheus: installed prometheus 3.5.0, promtool 3.5.0 from official release" in lines[-1]
    again = plan()[0]
    assert not again.needed
    assert "nothing to do: prometheus 3.5.0 in the cache" in again.describe()
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["lock", "servers"]


def test_a_wrong_sum_is_refused_before_unpacking(release: Release, into: Path) -> None:
    release.publish(pack(), digest="0" * 64)
    assert "is not what sha256sums.txt promises" in refused(into)
    assert list(into.iterdir()) == []


def test_a_missing_sum_is_refused_before_downloading(release: Release, into: Path) -> None:
    release.publish(pack())
    release.files[f"{FOLDER}/sha256sums.txt"] = b"0000  prometheus-3.5.0.linux-arm64.tar.gz\n"
    assert "has no entry for prometheus-3.5.0.linux-amd64.tar.gz" in refused(into)
    assert release.asked == [f"{FOLDER}/sha256sums.txt"]


def test_a_missing_release_names_the_answer(release: Release, into: Path) -> None:
    assert "sha256sums.txt answered 404" in refused(into)


def test_a_truncated_body_is_refused(release: Release, into: Path) -> None:
    packed = pack()
    release.publish(packed)
    release.files[f"{FOLDER}/{STEM}.tar.gz"] = packed[:100]
    release.promise[f"{FOLDER}/{STEM}.tar.gz"] = len(packed)
    assert "peer closed connection" in refused(into)


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversize_body_is_refused(
    release: Release, into: Path, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    release.publish(pack())
    monkeypatch.setattr(tarball, "TARBALL_LIMIT", 100)
    if not announced:
        monkeypatch.setattr(httpx.Headers, "get", small)
    assert ("bytes, more than 100" if announced else "is larger than 100 bytes") in refused(into)
    assert into.with_name(f"{STEM}.tar.gz").stat().st_size <= 100


def small(self: httpx.Headers, key: str, default: object = None) -> object:
    """A Content-Length that lies."""
    return "1" if key == "Content-Length" else default


def test_a_slow_body_is_given_up(release: Release, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release.publish(pack())
    monkeypatch.setattr(download, "DOWNLOAD_S", -1.0)
    assert "is too slow" in refused(into)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", f"{STEM}/../../x", "elsewhere/x"])
def test_a_member_outside_the_folder_refuses_the_archive(release: Release, into: Path, name: str) -> None:
    packed = pack(members=[tarfile.TarInfo(name)])
    release.publish(packed)
    assert "has a member outside" in refused(into)
    assert list(into.iterdir()) == []
    assert not (into.parent.parent / "x").exists()


def test_a_link_in_place_of_a_program_is_refused(release: Release, into: Path) -> None:
    link = tarfile.TarInfo(f"{STEM}/prometheus")
    link.type, link.linkname = tarfile.SYMTYPE, "/bin/sh"
    release.publish(pack(members=[link]))
    assert "is not a regular file" in refused(into)


def test_a_small_file_that_unpacks_to_much_is_refused(
    release: Release, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarball, "UNPACKED_LIMIT", 1024**2)
    release.publish(pack(extra={f"{STEM}/zeros": bytes(4 * 1024**2)}))
    with pytest.raises(SourceError, match="unpacks to more than 1 MiB"):
        Tarball(PROMETHEUS).fetch(into, lambda line: None)


@pytest.mark.parametrize("packed", [b"not a tarball", gzip.compress(b"not a tarball", mtime=0), pack()[:200]])
def test_garbage_with_a_right_sum_is_refused(release: Release, into: Path, packed: bytes) -> None:
    release.publish(packed)
    assert "cannot be unpacked" in refused(into)


def test_plain_http_to_another_machine_is_refused_also_behind_a_redirect(
    release: Release, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.publish(pack())
    release.moved[f"{FOLDER}/{STEM}.tar.gz"] = "http://release.invalid/file"
    assert "http://release.invalid/file is not https: refused" in refused(into)
    monkeypatch.setenv("LAB_RELEASE_URL", "http://release.invalid")
    assert "is not https: refused" in refused(into)


def test_a_redirect_on_loopback_is_followed(release: Release, into: Path) -> None:
    packed = pack()
    release.publish(packed)
    release.files["/moved"] = packed
    release.moved[f"{FOLDER}/{STEM}.tar.gz"] = "/moved"
    Tarball(PROMETHEUS).fetch(into, lambda line: None)
    assert (into / "promtool").exists()


def test_a_host_that_refuses_is_asked_once(release: Release, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("LAB_RELEASE_URL", f"http://127.0.0.1:{port}")
    first = refused(into)
    assert first.startswith(f"127.0.0.1:{port} cannot be reached")
    monkeypatch.setattr(download, "_stream", None)  # would raise if called again
    assert refused(into) == first


def test_a_host_that_says_nothing_is_given_up_in_time(
    release: Release, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "FIRST_ANSWER_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("LAB_RELEASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        assert "did not answer within 0.3 s" in refused(into)
        assert time.monotonic() - started < 3


def test_a_release_that_is_another_program_never_reaches_the_cache(release: Release, tmp_path: Path) -> None:
    release.publish(pack(extra={f"{STEM}/promtool": says("amtool")}))
    lines: list[str] = []
    only_tarball = Step(Server(**{**vars(PROMETHEUS), "optional": True}), sources=(Tarball(PROMETHEUS),))
    install([only_tarball], lines.append)
    assert "the promtool is not promtool (--version says" in lines[1]
    assert not (tmp_path / "cache/servers/prometheus").exists()


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("Linux", "x86_64", "linux-amd64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Linux", "armv7l", "linux-armv7"),
        ("Darwin", "arm64", "darwin-arm64"),
    ],
)
def test_machines_are_spelled_as_on_the_release_page(
    system: str, machine: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarball.platform, "system", lambda: system)
    monkeypatch.setattr(tarball.platform, "machine", lambda: machine)
    assert release_platform() == expected


def test_a_machine_without_a_release_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarball.platform, "machine", lambda: "riscv64")
    with pytest.raises(SourceError, match="riscv64"):
        release_platform()
    assert "riscv64" in Tarball(PROMETHEUS).describe()


def test_sums_are_found_in_text_and_binary_mode() -> None:
    digest = "AB" * 32
    assert find_sum(f"{digest}  a.tar.gz\n", "a.tar.gz") == digest.lower()
    assert find_sum(f"{digest} *a.tar.gz\n", "a.tar.gz") == digest.lower()
    with pytest.raises(SourceError):
        find_sum(f"{digest}  b-a.tar.gz\n", "a.tar.gz")


def test_a_proxy_that_cannot_be_used_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:1")
    monkeypatch.setattr(download, "FIRST_ANSWER_S", 0.5)
    with pytest.raises(SourceError, match=r"^https://example\.invalid/x: .*socks4"):
        download.get_text("https://example.invalid/x", 10)


def test_what_is_no_url_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"^https://\[bad/x: Invalid IPv6 URL"):
        download.get_text("https://[bad/x", 10)
