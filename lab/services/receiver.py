"""The receiver: a webhook sink that keeps every notification with its arrival time.

Runs alone: `python -m lab.services.receiver --port PORT`. Takes Alertmanager's webhook format on
`/alertmanager/ROUTE`, Slack's incoming-webhook format on `/slack/ROUTE`, a heartbeat on `/heartbeat`;
shows the channel as text on `/` and as JSON on `/notifications?since=N`.

A Slack message holds no labels, so its title must say what it is about, as Alertmanager's own template does:
`[FIRING:2] HighErrorRate ...` or `[RESOLVED] HighErrorRate ...`. It is one notification, however many alerts
are grouped in it.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.runtime.protocol import ServiceSpec

PORT = "http"
MAX_BODY = 1 << 20
"""Bytes of a body that are read at most; a larger one is refused with 413."""
MAX_KEPT = 10_000
"""Notifications kept at most; the oldest go first."""
SLACK_TITLE = re.compile(r"\[(?P<status>FIRING|RESOLVED)(?::\d+)?\] +(?P<alert>[^\s,]+)", re.IGNORECASE)
"""Status and alert in the title of a Slack message."""


@dataclass(frozen=True)
class Notification:
    """One alert as it arrived; `at` is Unix time in seconds."""

    at: float
    route: str
    format: str
    status: str
    alert: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: str = ""
    text: str = ""


@dataclass
class Channel:
    """What arrived, in order. Thread-safe."""

    arrived: list[Notification] = field(default_factory=list)
    dropped: int = 0
    heartbeat_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, notifications: list[Notification]) -> None:
        """Keep them, within the limit."""
        with self.lock:
            self.arrived.extend(notifications)
            excess = max(0, len(self.arrived) - MAX_KEPT)
            del self.arrived[:excess]
            self.dropped += excess

    def since(self, number: int) -> dict[str, Any]:
        """The notifications from the number-th on, the next number to ask for, and the last heartbeat."""
        with self.lock:
            start = max(0, number - self.dropped)
            return {
                "next": self.dropped + len(self.arrived),
                "heartbeat_at": self.heartbeat_at,
                "notifications": [asdict(n) for n in self.arrived[start:]],
            }


def from_alertmanager(body: Mapping[str, Any], route: str, at: float) -> list[Notification]:
    """The alerts of an Alertmanager webhook (version 4), one notification each."""
    return [
        Notification(
            at=at,
            route=route,
            format="alertmanager",
            status=str(alert.get("status", body.get("status", ""))),
            alert=str(alert.get("labels", {}).get("alertname", "")),
            labels={str(k): str(v) for k, v in alert.get("labels", {}).items()},
            annotations={str(k): str(v) for k, v in alert.get("annotations", {}).items()},
            starts_at=str(alert.get("startsAt", "")),
        )
        for alert in body.get("alerts", [])
    ]


def from_slack(body: Mapping[str, Any], route: str, at: float) -> list[Notification]:
    """A Slack message: one notification; text of the message and of its attachments.

    Where the title is not of the documented form, it stands for the alert's name as it is.
    """
    parts = [str(body.get("text") or "")]
    title = ""
    for attachment in body.get("attachments", []):
        title = title or str(attachment.get("title") or attachment.get("fallback") or "")
        parts += [str(attachment.get(key) or "") for key in ("title", "text")]
    text = "\n".join(part for part in parts if part)
    said = SLACK_TITLE.match(title or parts[0])
    status = said["status"].lower() if said else "resolved" if "RESOLVED" in text.upper() else "firing"
    alert = said["alert"] if said else title
    return [Notification(at=at, route=route, format="slack", status=status, alert=alert, text=text)]


class Handler(BaseHTTPRequestHandler):
    """One request; the channel hangs on the server."""

    protocol_version = "HTTP/1.1"
    server: ReceiverServer

    def do_GET(self) -> None:
        """The channel, or readiness."""
        url = urlsplit(self.path)
        if url.path == "/-/ready":
            return self._answer(200, "ready")
        if url.path == "/notifications":
            asked = parse_qs(url.query).get("since", ["0"])[0]
            return self._json(self.server.channel.since(_number(asked) or 0))
        if url.path == "/":
            return self._answer(200, channel_text(self.server.channel))
        return self._answer(404, "not found: try / or /notifications")

    def do_POST(self) -> None:
        """A notification or a heartbeat."""
        at = time.time()
        length = _number(self.headers.get("Content-Length", ""))
        if length is None or length > MAX_BODY:
            self.close_connection = True  # the body stays unread
            problem = (411, "Content-Length is needed") if length is None else (413, f"more than {MAX_BODY} bytes")
            return self._answer(*problem)
        raw = self.rfile.read(length)
        kind, _, route = urlsplit(self.path).path.strip("/").partition("/")
        try:
            return self._take(kind, route, json.loads(raw), at)
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            return self._answer(400, f"not a notification: {error}")

    def _take(self, kind: str, route: str, body: Mapping[str, Any], at: float) -> None:
        channel = self.server.channel
        if kind == "heartbeat":
            channel.heartbeat_at = at
        elif kind == "alertmanager":
            channel.add(from_alertmanager(body, route, at))
        elif kind == "slack":
            channel.add(from_slack(body, route, at))
        else:
            return self._answer(404, "not found: post to /alertmanager/ROUTE, /slack/ROUTE or /heartbeat")
        return self._answer(200, "ok")

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value), "application/json")

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode(errors="replace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Notifications are the log; requests are not worth a line."""


def _number(text: str) -> int | None:
    """A number of at most 18 ASCII digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def channel_text(channel: Channel) -> str:
    """The channel as a reader would see it, newest last."""
    with channel.lock:
        lines = [
            f"{time.strftime('%H:%M:%S', time.localtime(n.at))} [{n.status.upper()}] {n.alert} "
            f"#{n.route} {n.annotations.get('summary', n.text)}"
            for n in channel.arrived
        ]
    return "\n".join(lines) + "\n" if lines else "(quiet)\n"


class ReceiverServer(ThreadingHTTPServer):
    """The server with its channel."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.channel = Channel()
        super().__init__((host, port), Handler)


def spec(listen: str) -> ServiceSpec:
    """How the stack runs it."""
    host, _, port = listen.rpartition(":")
    argv = (sys.executable, "-m", "lab.services.receiver", "--host", host, "--port", port)
    return ServiceSpec("receiver", argv, ready_path="/-/ready", ready_port=PORT, stop_grace_s=2.0)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="lab.services.receiver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9099)
    args = parser.parse_args()
    server = ReceiverServer(args.host, args.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
