"""The service as a process: starting, stopping, its log file, and a deployment that replaces its metrics."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest
from waiting import until

from lab.rag.load import drive, queries
from lab.rag.local import free_ports, running
from lab.rag.server import listen

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

QUESTION = {"query": "How do I restart a service?", "user_id": "user-1"}
DEADLINE_S = 20.0


def start_and_fail(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.rag", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_queries_and_metrics_have_a_port_each():
    with running() as service:
        assert httpx.get(service.url + "/health").json()["status"] == "ok"
        assert httpx.post(service.url + "/query", json=QUESTION).status_code == 200
        assert httpx.get(service.url + "/metrics").status_code == 404
        exposed = httpx.get(service.metrics_url, params={"name[]": "rag_queries_total"}).text
        assert 'status="success"} 1.0' in exposed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_with_open_connections_and_a_query_that_never_ends(number):
    with running("--llm-latency-ms", "60000") as service, contextlib.ExitStack() as sockets:
        for _ in range(3):  # kept alive and idle
            idle = sockets.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(4096)
        busy = sockets.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        body = json.dumps(QUESTION).encode()
        head = f"POST /query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        busy.sendall(head.encode() + b"\r\n\r\n" + body)
        left = {"name[]": "rag_rate_limit_remaining"}
        until(
            lambda: "} 250000.0" not in httpx.get(service.metrics_url, params=left).text, DEADLINE_S, "the query runs"
        )
        service.process.send_signal(number)
        assert service.process.wait(DEADLINE_S) == 0


def test_every_query_has_its_line_during_the_run_and_after_it(tmp_path):
    path = tmp_path / "rag.log"
    with running("--log-file", str(path)) as service:
        httpx.post(service.url + "/query", json=QUESTION)
        until(lambda: path.read_text().count("\n") == 1, DEADLINE_S, "the first line is written while it runs")
        measured = asyncio.run(drive(service.port, 0.5, 4, queries(1)))
        service.process.terminate()
        assert service.process.wait(DEADLINE_S) == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert measured.failures == 0
    assert [line["event_type"] for line in lines] == ["query"] * (1 + measured.requests)
    assert len({line["query_id"] for line in lines}) == len(lines)


def test_without_a_file_the_log_goes_to_stdout_and_nothing_else_does():
    port, metrics_port = free_ports(2)
    command = [sys.executable, "-m", "lab.rag", "--port", str(port), "--metrics-port", str(metrics_port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:

        def answered() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return httpx.post(f"http://127.0.0.1:{port}/query", json=QUESTION).status_code == 200
            return False

        until(answered, DEADLINE_S, "the service answers")
    finally:
        process.terminate()
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert [json.loads(line)["event_type"] for line in stdout.splitlines()] == ["query"]
    assert str(port) in stderr
    assert "no --redis-url" in stderr


def test_a_taken_port_is_one_line_and_status_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        free = str(free_ports(1)[0])
        for flags in (["--port", port, "--metrics-port", free], ["--port", free, "--metrics-port", port]):
            ended = start_and_fail(*flags)
            assert ended.returncode == 2
            assert ended.stderr.count("\n") == 1
            assert f"127.0.0.1:{port}" in ended.stderr
            assert "in use" in ended.stderr


def test_a_broken_metrics_file_is_one_line_and_status_2(tmp_path):
    path = tmp_path / "metrics.py"
    path.write_text("import no_such_module\n")
    ended = start_and_fail("--metrics", str(path))
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "no_such_module" in ended.stderr


SERVERS = {
    "not started": "def serve(registry, host, port):\n    pass\n",
    "hangs": """
import socket, threading

def serve(registry, host, port):
    server = socket.create_server((host, port))

    def hold():
        kept = []
        while True:
            kept.append(server.accept())

    threading.Thread(target=hold).start()
""",
    "answers 500": """
import threading
from wsgiref.simple_server import make_server

def refuse(environ, start_response):
    start_response("500 Internal Server Error", [])
    return [b""]

def serve(registry, host, port):
    threading.Thread(target=make_server(host, port, refuse).serve_forever, daemon=True).start()
""",
}


@pytest.mark.parametrize("name", SERVERS)
def test_queries_are_answered_whatever_the_metrics_server_does(tmp_path, name):
    path = tmp_path / "metrics.py"
    path.write_text(SERVERS[name])
    with running("--metrics", str(path)) as service:
        assert httpx.post(service.url + "/query", json=QUESTION).status_code == 200
        with contextlib.suppress(httpx.TransportError):
            assert httpx.get(service.metrics_url, timeout=0.5).status_code == 500
        service.process.terminate()
        assert service.process.wait(DEADLINE_S) == 0


def test_answers_are_not_held_back_by_nagle():
    async def delayed() -> bool:
        found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            option = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            found.set_result(not option)
            writer.close()

        listening = listen("127.0.0.1", 0)
        async with await asyncio.start_server(accepted, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            try:
                return await asyncio.wait_for(found, DEADLINE_S)
            finally:
                writer.close()

    assert asyncio.run(delayed()) is False


def test_it_imports_nothing_else_of_the_lab():
    code = (
        "import sys, lab.rag.__main__, lab.rag.app, lab.rag.service, lab.rag.server, lab.rag.deployment, "
        "lab.rag.redis_cache, lab.rag.redis_costs, lab.rag.costs_cli, lab.rag.bench, lab.rag.vectors\n"
        "print([name for name in sys.modules if name.startswith('lab.') and name.split('.')[1] != 'rag'])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout.strip() == "[]"


def test_nothing_is_left_behind():
    with running() as service:
        pid = service.process.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)
