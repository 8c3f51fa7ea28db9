"""Some services of the stack on ports of the kernel's choice, as the engine starts them; and a mail server."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from waiting import until

from lab.install import Binary, BinaryError, find
from lab.paths import compose_dir
from lab.registry import Registration
from lab.runtime.native import NativeRuntime
from lab.runtime.protocol import Running, ServiceSpec, VolumeSpec
from lab.services import alertmanager, receiver

START_S = 90.0


def binary(name: str) -> Binary:
    try:
        return find(name)
    except BinaryError as error:
        pytest.skip(str(error))


@dataclass
class Services:
    """Starts services and waits until they are ready; addresses are known before anything runs."""

    runtime: NativeRuntime
    folder: Path
    running: dict[str, Running] = field(default_factory=dict)

    def address(self, service: str, port: str = "http") -> str:
        return self.runtime.address(service, port)

    def start(self, *specs: ServiceSpec) -> None:
        for spec in specs:
            self.running[spec.name] = self.runtime.start(spec)
        for spec in specs:
            url = f"http://{self.address(spec.name, spec.ready_port)}{spec.ready_path}"
            until(lambda url=url: answers(url), START_S, f"{spec.name} is ready")  # type: ignore[misc]

    def restart(self, name: str) -> None:
        spec = self.running[name].spec
        self.runtime.stop(self.running[name])
        self.start(spec)

    def receiver(self) -> ServiceSpec:
        return receiver.spec(self.address("receiver"))

    def alertmanager(self, speed: float, addresses: dict[str, str], text: str = "") -> ServiceSpec:
        text = text or (compose_dir() / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
        known = {"receiver:9099": self.address("receiver"), **addresses}
        config = alertmanager.write_config(self.folder / "alertmanager", text, speed, known)
        volume = VolumeSpec("alertmanager-data")
        data = self.runtime.data_dir(volume)
        return alertmanager.spec(binary("alertmanager"), config, data, volume, self.address("alertmanager"))

    def notifications(self) -> list[dict[str, Any]]:
        found = httpx.get(f"http://{self.address('receiver')}/notifications", trust_env=False).json()["notifications"]
        assert isinstance(found, list)
        return found


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@contextlib.contextmanager
def services(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """An empty stack, stopped in the end whatever happens."""
    monkeypatch.setenv("LAB_STATE_DIR", str(folder / "state"))
    registration = Registration(f"test-{uuid4().hex[:12]}", folder)
    runtime = NativeRuntime(registration.entry.run_id, folder, registration)
    try:
        yield Services(runtime, folder)
    finally:
        runtime.close()
        registration.remove()


class Mailbox(socketserver.ThreadingTCPServer):
    """Takes any mail and keeps it. Plain SMTP in a few lines: one more dependency would do no more here."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        super().__init__(("127.0.0.1", 0), _Session)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 mailbox")
        for line in iter(self.rfile.readline, b""):
            command = line.split(None, 1)[0].upper() if line.strip() else b""
            if command == b"QUIT":
                return self.say("221 bye")
            if command == b"DATA":
                self.say("354 go on")
                self._take()
            self.say("250 fine")
        return None

    def _take(self) -> None:
        lines: list[bytes] = []
        for line in iter(self.rfile.readline, b".\r\n"):
            assert line, "the client has gone"
            lines.append(line[1:] if line.startswith(b".") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.server.mails.append(mail)


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server that runs."""
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
