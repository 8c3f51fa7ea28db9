"""The receiver over HTTP: what it takes, what it refuses, and how it counts."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lab.services import receiver
from lab.services.receiver import Channel, Notification, ReceiverServer, from_alertmanager

WEBHOOK = {
    "status": "firing",
    "alerts": [
        {
            "status": "firing", "labels": {"alertname": "A", "n": 3}, "annotations": {"summary": "s"},
            "startsAt": "2026-01-01T00:00:00Z",
        },
        {"status": "resolved", "labels": {"alertname": "B"}},
        {"labels": {}},
    ],
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ReceiverServer]:
    found = ReceiverServer("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: found.serve_forever(poll_interval=0.02))
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def raw(server: ReceiverServer, request: bytes) -> tuple[int, bytes]:
    """Status and everything after the head, until the server closes or the announced length is there."""
    with socket.create_connection(server.server_address[:2], timeout=5) as connection:
        connection.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got and (more := connection.recv(65536)):
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        assert head, "no answer"
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length and (more := connection.recv(65536)):
            body += more
    return int(head.split()[1]), body


def post(server: ReceiverServer, path: str, body: object) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw(server, b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(data)) + data)[0]


def get(server: ReceiverServer, path: str) -> tuple[int, bytes]:
    return raw(server, b"GET %s HTTP/1.1\r\n\r\n" % path.encode())


def notifications(server: ReceiverServer, since: object = 0) -> dict[str, Any]:
    status, body = get(server, f"/notifications?since={since}")
    assert status == 200
    return dict(json.loads(body))


def test_every_alert_of_a_webhook_is_a_notification() -> None:
    found = from_alertmanager(WEBHOOK, "pager", 5.0)
    assert [(n.alert, n.status, n.route, n.at) for n in found] == [
        ("A", "firing", "pager", 5.0), ("B", "resolved", "pager", 5.0), ("", "firing", "pager", 5.0),
    ]  # fmt: skip
    assert (found[0].labels["n"], found[0].annotations["summary"]) == ("3", "s")
    assert found[0].starts_at == "2026-01-01T00:00:00Z"


def test_it_is_ready(server: ReceiverServer) -> None:
    assert get(server, "/-/ready") == (200, b"ready")


def test_what_is_posted_can_be_read(server: ReceiverServer) -> None:
    assert post(server, "/alertmanager/pager", WEBHOOK) == 200
    assert post(server, "/slack/team", {"attachments": [{"title": "[FIRING:1] C"}]}) == 200
    found = notifications(server)
    assert [(n["alert"], n["route"], n["format"]) for n in found["notifications"]] == [
        ("A", "pager", "alertmanager"), ("B", "pager", "alertmanager"), ("", "pager", "alertmanager"),
        ("C", "team", "slack"),
    ]  # fmt: skip
    assert found["next"] == 4
    assert [n["alert"] for n in notifications(server, 3)["notifications"]] == ["C"]
    assert notifications(server, 4)["notifications"] == []


def test_a_heartbeat_is_no_notification(server: ReceiverServer) -> None:
    assert notifications(server)["heartbeat_at"] == 0.0
    assert post(server, "/heartbeat", {}) == 200
    found = notifications(server)
    assert found["heartbeat_at"] > 0
    assert found["notifications"] == []


@pytest.mark.parametrize("since", ["", "-1", "x", "²", "%C2%B2", "9" * 5000])
def test_a_number_without_sense_asks_for_everything(since: str, server: ReceiverServer) -> None:
    post(server, "/alertmanager/x", WEBHOOK)
    asked = since.encode().decode("latin-1") if since == "²" else since
    status, body = raw(server, b"GET /notifications?since=" + asked.encode("latin-1") + b" HTTP/1.1\r\n\r\n")
    assert (status, len(json.loads(body)["notifications"])) == (200, 3)


@pytest.mark.parametrize("body", [
    b"", b"not json", b"[]", b"3", b"null", b'{"alerts":null}', b'{"alerts":[3]}', b'{"alerts":[{"labels":[]}]}',
    b"\xff", b"[" * 100_000,
], ids=lambda b: repr(b[:24]))  # fmt: skip
def test_what_is_no_notification_is_refused_and_nothing_is_kept(body: bytes, server: ReceiverServer) -> None:
    assert post(server, "/alertmanager/x", body) == 400
    assert notifications(server)["next"] == 0


@pytest.mark.parametrize("body", [b"[]", b'{"attachments":3}', b'{"attachments":["x"]}'])
def test_what_is_no_slack_message_is_refused(body: bytes, server: ReceiverServer) -> None:
    assert post(server, "/slack/x", body) == 400


@pytest.mark.parametrize("path", ["/", "/other/x", "/notifications", "/../slack"])
def test_an_unknown_path(path: str, server: ReceiverServer) -> None:
    assert post(server, path, WEBHOOK) == 404


def test_an_unknown_page(server: ReceiverServer) -> None:
    assert get(server, "/etc/passwd")[0] == 404


@pytest.mark.parametrize("header", [
    b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: -5\r\n", b"Content-Length: \xb2\r\n",
    b"Content-Length: " + b"9" * 5000 + b"\r\n", b"Content-Length: 0x10\r\n",
])  # fmt: skip
def test_without_a_length_it_is_refused_and_the_rest_is_not_read(header: bytes, server: ReceiverServer) -> None:
    status, rest = raw(server, b"POST /alertmanager/x HTTP/1.1\r\n" + header + b"\r\n")
    assert (status, rest) == (411, b"Content-Length is needed")


def test_too_large_a_body_is_refused_unread(server: ReceiverServer) -> None:
    assert raw(server, b"POST /slack/x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (receiver.MAX_BODY + 1))[0] == 413


def test_a_refused_body_is_not_taken_for_the_next_request(server: ReceiverServer) -> None:
    smuggled = b"POST /heartbeat HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_connection(server.server_address[:2], timeout=5) as connection:
        connection.sendall(b"POST /slack/x HTTP/1.1\r\n\r\n" + smuggled)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while more := connection.recv(65536):
                got += more
        except ConnectionResetError:
            pass  # closed with the body unread, as it should be
    assert got.count(b"HTTP/1.1 ") <= 1
    assert notifications(server)["heartbeat_at"] == 0.0


def test_the_largest_body_is_read(server: ReceiverServer) -> None:
    body = json.dumps({"text": "[FIRING] A " + "x" * (receiver.MAX_BODY - 40)}).encode()
    assert post(server, "/slack/x", body.ljust(receiver.MAX_BODY)) == 200


def test_the_channel_as_text(server: ReceiverServer) -> None:
    assert get(server, "/") == (200, b"(quiet)\n")
    post(server, "/alertmanager/pager", WEBHOOK)
    text = get(server, "/")[1].decode()
    assert "[FIRING] A #pager s\n" in text


def test_text_that_is_no_text_is_still_shown(server: ReceiverServer) -> None:
    post(server, "/alertmanager/x", b'{"alerts":[{"labels":{"alertname":"\\ud800"}}]}')
    assert get(server, "/")[0] == 200


def test_numbers_go_on_after_the_oldest_were_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "MAX_KEPT", 3)
    channel = Channel()

    def add(*names: str) -> None:
        channel.add([Notification(0.0, "r", "f", "firing", name) for name in names])

    def since(number: int) -> tuple[int, list[str]]:
        found = channel.since(number)
        return found["next"], [n["alert"] for n in found["notifications"]]

    add("a", "b")
    assert since(0) == (2, ["a", "b"])
    add("c", "d", "e")
    assert since(2) == (5, ["c", "d", "e"])
    assert since(4) == (5, ["e"])
    assert since(0) == (5, ["c", "d", "e"])
    assert since(99) == (5, [])
