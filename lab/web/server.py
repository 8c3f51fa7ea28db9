"""Serves the live page on loopback: the frame, a stream of states, and in the end the report."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab.report.html.index import SERIES, served_index
from lab.report.html.page import live_page, live_policy
from lab.web.following import Following

EVERY_S = 1.0
LAST_LOOK_S = 5.0
"""Seconds that open pages are given at the end to take the report with them."""
RETRY_MS = 1000


class LivePage(ThreadingHTTPServer):
    """The page of one command. It is read-only, and answers only to a loopback name: no other site's script asks it."""

    daemon_threads = True

    def __init__(self, following: Following, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.following = following
        self.port: int = self.server_address[1]
        self.ended = threading.Event()
        self.report = ""
        self._open = 0
        self._changed = threading.Condition()

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that went away is no news, and the terminal belongs to the story."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/"

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A page is open as long as this is."""
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def finish(self, report: Path | None) -> None:
        """The run is over: open pages become the report, and are given a moment to fetch it."""
        self.report = _served(report) if report is not None else ""
        self.ended.set()
        deadline = time.monotonic() + LAST_LOOK_S
        with self._changed:
            while self._open and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)


def _served(report: Path) -> str:
    """The page as it is told here: an index without its links, which lead to files."""
    if (report.parent / SERIES).is_file():
        return served_index(report.parent)
    return report.read_text(encoding="utf-8")


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: LivePage

    def do_GET(self) -> None:
        """The frame, the stream, or the report."""
        host = self.headers.get("Host", "")
        if host not in (f"127.0.0.1:{self.server.port}", f"localhost:{self.server.port}"):
            return self._answer(403, "this page answers on loopback only", "text/plain; charset=utf-8")
        if self.path == "/events":
            return self._stream()
        if self.path == "/report" and self.server.report:
            with self.server.watched():
                return self._answer(200, self.server.report, "text/html; charset=utf-8")
        if self.path == "/":
            return self._answer(200, live_page(), "text/html; charset=utf-8", live_policy())
        return self._answer(404, "not found", "text/plain; charset=utf-8")

    def _stream(self) -> None:
        """A state a second; when the run is over, where the report is. A page that went away ends it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        frame = ""
        try:
            with self.server.watched():
                self.wfile.write(f"retry: {RETRY_MS}\n\n".encode())
                while not self.server.ended.is_set():
                    state = self.server.following.state()
                    shape = json.dumps([(c["id"], c["labels"]) for c in state.get("data", {}).get("charts", [])])
                    shape += str(state.get("run"))
                    self._event("state", state if shape != frame else {**state, "frame": None})
                    frame = shape
                    self.server.ended.wait(EVERY_S)
                self._event("end", {"report": bool(self.server.report)})
                time.sleep(0.3)  # what it asks for next is on its way before this page counts as gone
        except OSError:
            return

    def _event(self, name: str, value: dict[str, Any]) -> None:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())
        self.wfile.flush()

    def _answer(self, status: int, text: str, kind: str, policy: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The terminal belongs to the story."""


@contextmanager
def serving(following: Following) -> Iterator[LivePage]:
    """The page, served from a thread until the end of the command."""
    page = LivePage(following)
    thread = threading.Thread(target=page.serve_forever, kwargs={"poll_interval": 0.1}, name="live-page", daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.ended.set()
        page.shutdown()
        page.server_close()
        thread.join(5)
