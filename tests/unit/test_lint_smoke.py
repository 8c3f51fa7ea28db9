"""`lab lint smoke` against servers that answer wrongly, too much, too slowly or not at all."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lab.cli import run_cli
from lab.errors import UsageError
from lab.lint import smoke as module
from lab.lint.smoke import smoke

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PAGE = b'# TYPE rag_queries_total counter\nrag_queries_total{status="success"} 7\nup_total 1\n'
METRIC = "rag_queries_total"


def answer(body: bytes = PAGE, *, status: str = "200 OK", type_: str | None = TEXT, more: str = "") -> bytes:
    kind = f"Content-Type: {type_}\r\n" if type_ is not None else ""
    head = f"HTTP/1.1 {status}\r\n{kind}{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@contextlib.contextmanager
def serving(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that gives each connection the next answer, the last one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def one(connection: socket.socket, what: bytes | Callable[[socket.socket], None]) -> None:
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(what) if isinstance(what, bytes) else what(connection)

        def run() -> None:
            left = list(answers)
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    connection = server.accept()[0]
                    what = left.pop(0) if len(left) > 1 else left[0]
                    threading.Thread(target=one, args=(connection, what), daemon=True).start()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection(server.getsockname(), 1).close()
        thread.join(5)


def texts(url: str, *names: str, timeout_s: float = 5.0) -> list[str]:
    return [f"{f.where}: {f.text}" for f in smoke(url, require=names, timeout_s=timeout_s).findings]


def test_a_page_that_is_well():
    with serving(answer()) as url:
        found = smoke(url, require=[METRIC, "up_total"])
    assert (found.exit_code, found.series) == (0, 2)
    assert found.to_text().endswith("s; all there\n")


@pytest.mark.parametrize("type_", ["text/plain", "TEXT/PLAIN; version=0.0.4", "application/openmetrics-text"])
def test_types_that_prometheus_takes(type_: str):
    with serving(answer(PAGE + b"# EOF\n", type_=type_)) as url:
        assert texts(url, METRIC) == []


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (PAGE + b"# EOF\n", ""),
        (PAGE + b"# EOF", ""),
        (b"# HELP rag_queries_total Queries.\n# UNIT x_seconds seconds\n" + PAGE + b"# EOF\n", ""),
        (
            b"# build unknown\n" + PAGE + b"# EOF\n",
            "line 1: no comment of OpenMetrics, which Prometheus asks for: # build",
        ),
        (PAGE + b"#TYPE up_total counter\n# EOF\n", "line 4: no comment of OpenMetrics"),
        (PAGE, "OpenMetrics, which Prometheus asks for, ends with # EOF; this page does not"),
        (PAGE + b"# EOF\nup_total 2\n", "ends with # EOF; this page does not"),
    ],
    ids=["well", "no last newline", "help and unit", "a free comment", "no space", "no end", "more after the end"],
)
def test_what_prometheus_asks_for_first_is_looked_at_too(page: bytes, said: str):
    """As text each of these pages is well; Prometheus never sees that one."""
    with serving(answer(), answer(page, type_="application/openmetrics-text; version=1.0.0")) as url:
        found = texts(url, METRIC)
    assert len(found) == bool(said)
    assert all(said in text for text in found)


def test_a_free_comment_is_no_fault_of_a_page_of_text():
    with serving(answer(b"# build unknown\n" + PAGE)) as url:
        assert texts(url, METRIC) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(status="500 Internal Server Error"), "HTTP 500; a metrics page answers 200"),
        (answer(status="302 Found", more="Location: /login\r\n"), "HTTP 302 to /login; a metrics page answers 200"),
        (answer(status="204 No Content", body=b""), "HTTP 204; a metrics page answers 200"),
        (answer(type_=None), "no Content-Type; not a metrics page, it begins: # TYPE rag_queries_total counter"),
        (answer(b"<!DOCTYPE html>", type_="text/html"), "Content-Type text/html; not a metrics page, it begins: <!DOC"),
        (answer(b"<!DOCTYPE html>"), "line 1: not a sample: <!DOCTYPE html>"),
        (answer(b""), "no samples: not a metrics page"),
        (answer(b"a 1\n\xff\xfe 1\n"), "not UTF-8 text; not a metrics page"),
        (answer(more="Content-Encoding: gzip\r\n"), "content-encoding gzip was not asked for"),
        (b"hello\r\n\r\n", "nothing serves metrics there"),
        (b"", "nothing serves metrics there"),
        (answer()[:-20], "nothing serves metrics there"),
        (answer(more=f"X: {'y' * 300_000}\r\n"), "nothing serves metrics there"),
    ],
    ids=["500", "redirect", "204", "no type", "html", "html as text", "empty", "bytes", "gzip", "no http", "nothing",
         "cut off", "a header without end"],
)  # fmt: skip
def test_no_metrics_page_is_one_line(given: bytes, said: str):
    with serving(given) as url:
        found = smoke(url, require=[METRIC])
    assert found.exit_code == 1
    assert said in found.to_text()
    assert found.to_text().count("\n") == 1
    assert url in found.to_text()


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        for host in ("127.0.0.1", "localhost"):
            (said,) = texts(f"http://{host}:{taken.getsockname()[1]}/metrics")
            assert said.endswith(": Connection refused; nothing serves metrics there")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def drip(head: bytes) -> Callable[[socket.socket], None]:
    """Bytes for ever, each well within a timeout that is counted from the last."""

    def dripping(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x")
            threading.Event().wait(0.05)

    return dripping


@pytest.mark.parametrize(
    "never", [silence, drip(b"HTTP/1.1 200 OK\r\nX: "), drip(answer()[:150])], ids=["silence", "head", "body"]
)
def test_the_time_is_for_the_whole_page(never: Callable[[socket.socket], None]):
    began = time.monotonic()
    with serving(never) as url:
        assert texts(url, timeout_s=0.5) == [
            f"{url}: no whole page within 0.5 s; Prometheus says: context deadline exceeded"
        ]
    assert time.monotonic() - began < 3


def test_a_page_without_end_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {TEXT}\r\n\r\n".encode())
        while len(sent) < 1000:
            connection.sendall(b"a 1\n" * 2**14)
            sent.append(2**16)

    with serving(flood) as url:
        assert texts(url) == [f"{url}: over 1 MiB; no metrics page is that long"]
    assert sum(sent) < 16 * 2**20


def test_each_missing_metric_is_a_line_with_the_nearest_name():
    page = b"# TYPE rag_errors_total counter\nrag_requests_total 7\n"
    with serving(answer(page)) as url:
        found = smoke(url, require=[METRIC, "rag_errors_total", "nowhere"])
    assert found.to_text().splitlines() == [
        "error   rag_queries_total: missing; there is rag_requests_total [required]",
        "error   rag_errors_total: declared, but without a sample; create its label sets at the start [required]",
        "error   nowhere: missing [required]",
    ]


def test_it_waits_for_a_deployment_that_is_starting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.02)
    with serving(answer(status="503 Starting"), answer(b"a 1\n"), answer()) as url:
        assert smoke(url, require=[METRIC]).exit_code == 1
        assert smoke(url, require=[METRIC], wait_s=10).exit_code == 0


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.02)
    began = time.monotonic()
    with serving(answer(status="503 Starting")) as url:
        assert smoke(url, wait_s=0.3).exit_code == 1
    assert 0.2 < time.monotonic() - began < 3


@pytest.mark.parametrize(
    "url", ["", "x", "/etc/passwd", "127.0.0.1:8001/metrics", "ftp://x/metrics", "http://", "http://x:notaport/"]
)
def test_what_is_no_url_is_bad_usage(url: str, capsys: pytest.CaptureFixture[str]):
    assert run_cli(["lint", "smoke", url]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("given", [{"timeout_s": 0}, {"timeout_s": 1e9}, {"timeout_s": float("nan")}, {"wait_s": -1}])
def test_times_out_of_bounds_are_bad_usage(given: dict[str, float]):
    with pytest.raises(UsageError):
        smoke("http://127.0.0.1:1/metrics", **given)


def test_the_command_as_json_and_its_exit_code(capsys: pytest.CaptureFixture[str]):
    with serving(answer()) as url:
        assert run_cli(["lint", "smoke", url, "--require", METRIC, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["findings"] == []
        assert run_cli(["lint", "smoke", url, "--require", "x", "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
    assert (found["exit_code"], found["series"], found["findings"][0]["metric"]) == (1, 2, "x")
