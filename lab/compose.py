"""Read compose/compose.yaml: images, flags, limits, ports and hardening of the stack have their one place there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.paths import compose_dir

FILE = "compose.yaml"
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::?-(?P<default>[^}]*))?\})")
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Healthcheck:
    """How an engine asks a container whether it is well; times in seconds."""

    test: tuple[str, ...]
    interval_s: float
    timeout_s: float
    retries: int


@dataclass(frozen=True)
class ComposeService:
    """One service as the file says it; `ports` are those inside the container."""

    name: str
    image: str
    image_variable: str
    """The variable that names another image, such as `LAB_PROMETHEUS_IMAGE`."""
    command: tuple[str, ...]
    entrypoint: tuple[str, ...]
    ports: tuple[int, ...]
    memory_bytes: int
    pids: int
    user: str
    read_only: bool
    cap_drop: tuple[str, ...]
    security: tuple[str, ...]
    tmpfs: tuple[str, ...]
    environment: Mapping[str, str]
    host_pids: bool
    healthcheck: Healthcheck | None

    def flags(self) -> dict[str, str]:
        """`--name=value` of the command, by name with its dashes."""
        return dict(part.split("=", 1) for part in self.command if part.startswith("--") and "=" in part)


@dataclass(frozen=True)
class Compose:
    """The file, with variables filled in."""

    services: Mapping[str, ComposeService]
    path: Path = field(default_factory=lambda: compose_dir() / FILE)

    def __getitem__(self, name: str) -> ComposeService:
        if name not in self.services:
            raise LabError(f"{self.path}: has no service {name}")
        return self.services[name]


def fill(text: str, variables: Mapping[str, str]) -> str:
    """`${NAME}` and `${NAME:-default}` filled in as Compose does; `$$` is a dollar."""

    def one(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        return variables.get(match["name"], "") or (match["default"] or "")

    return _VARIABLE.sub(one, text)


def load(variables: Mapping[str, str] | None = None) -> Compose:
    """The file with these variables, by default those of the environment."""
    raw = _raw(compose_dir() / FILE)
    given = os.environ if variables is None else variables
    return Compose({name: _service(name, _filled(body, given), body) for name, body in raw["services"].items()})


@cache
def _raw(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return fill(node, variables) if isinstance(node, str) else node


def _service(name: str, body: Mapping[str, Any], unfilled: Mapping[str, Any]) -> ComposeService:
    variable = _VARIABLE.search(unfilled["image"])
    return ComposeService(
        name=name,
        image=body["image"],
        image_variable=(variable["name"] or "") if variable else "",
        command=tuple(body.get("command", ())),
        entrypoint=tuple(body.get("entrypoint", ())),
        ports=tuple(int(port.rpartition(":")[2]) for port in body.get("ports", ())),
        memory_bytes=_bytes(body["mem_limit"]),
        pids=int(body["pids_limit"]),
        user=body["user"],
        read_only=bool(body["read_only"]),
        cap_drop=tuple(body["cap_drop"]),
        security=tuple(option.replace(":true", "") for option in body["security_opt"]),
        tmpfs=tuple(body.get("tmpfs", ())),
        environment={key: str(value) for key, value in body.get("environment", {}).items()},
        host_pids=body.get("pid") == "host",
        healthcheck=_healthcheck(body.get("healthcheck")),
    )


def _healthcheck(body: Mapping[str, Any] | None) -> Healthcheck | None:
    if body is None:
        return None
    return Healthcheck(
        tuple(body["test"]), _seconds(body["interval"]), _seconds(body["timeout"]), int(body.get("retries", 3))
    )


def _seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([bkmg]?)", str(text)).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]
