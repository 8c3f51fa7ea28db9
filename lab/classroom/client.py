"""How a command finds the teaching stack of this user, and asks its owner."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lab.classroom.faults import Switch
from lab.classroom.status import Status, from_json
from lab.errors import LabError, UsageError
from lab.identity import Identity
from lab.registry import CONTROL, entries

ASK_S = 10.0
SWITCH_S = 180.0
"""Seconds for a deployment: one that brings recording rules has them back-filled."""
DOWN_S = 60.0


@dataclass(frozen=True)
class Client:
    """The owner of the stack that is up."""

    owner: Identity
    run_dir: str
    address: str
    token: str

    @property
    def page(self) -> str:
        """The live page; what stands behind the # lets it switch faults, and is sent to nobody by itself."""
        return f"http://{self.address}/#{self.token}"

    def status(self) -> Status:
        """What the stack is doing. Raises `LabError` when its owner does not answer."""
        return from_json(self._ask("GET", "/status", ASK_S))

    def fault(self, folder: Path, variant: str, switch: Switch) -> str:
        """Switch a fault; what is live then, in words. Raises `UsageError` where it can't be switched."""
        asked = {"target": str(folder), "variant": variant, "switch": switch}
        return str(self._ask("POST", "/fault", SWITCH_S, asked)["said"])

    def down(self) -> None:
        """Stop the stack; returns when its owner has ended. Raises `LabError` when it does not."""
        self._ask("POST", "/down", ASK_S)
        deadline = time.monotonic() + DOWN_S
        while self.owner.alive():
            if time.monotonic() > deadline:
                raise LabError(f"the stack is still stopping after {DOWN_S:.0f} s; see {self.run_dir}/logs/owner.log")
            time.sleep(0.05)

    def _ask(self, method: str, path: str, timeout_s: float, asked: dict[str, str] | None = None) -> dict[str, Any]:
        url = f"http://{self.address}{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.request(method, url, params=asked, headers=headers, timeout=timeout_s, trust_env=False)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            log = f"{self.run_dir}/logs/owner.log"
            raise LabError(f"the stack's owner does not answer ({type(error).__name__}); see {log}") from error
        if answer.status_code != 200 or not isinstance(body, dict):
            known = body if isinstance(body, dict) else {}
            kind = UsageError if known.get("exit_code") == 2 else LabError
            raise kind(str(known.get("error") or f"{url}: HTTP {answer.status_code}"))
        return body


def stack_up() -> Client | None:
    """The stack that is up in this state folder; one that is still starting is not."""
    for path, entry in entries():
        control = path.with_suffix(CONTROL)
        if not entry.owner.alive() or not control.is_file():
            continue
        try:
            found = json.loads(control.read_text(encoding="utf-8"))
            return Client(entry.owner, entry.run_dir, found["address"], found["token"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise LabError(f"{control}: {error}; `kill {entry.owner.pid}` ends the stack it belongs to") from error
    return None


def require_up() -> Client:
    """The stack that is up. Raises `UsageError` when none is."""
    found = stack_up()
    if found is None:
        raise UsageError("no stack is up; `lab up` starts one")
    return found
