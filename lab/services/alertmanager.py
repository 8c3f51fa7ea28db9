"""Alertmanager: its configuration at a speed and at our addresses, its flags, its readiness."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab import compose, serveryaml
from lab.install import Binary
from lab.runtime.protocol import ServiceSpec, VolumeSpec
from lab.services.prometheus import Addresses
from lab.timescale import compress_alertmanager_config

PORT = "http"


def render_config(text: str, speed: float, addresses: Addresses) -> str:
    """A configuration at a speed; every URL or `host:port` of a known service points at its address in this run."""
    return serveryaml.dump(_moved(serveryaml.load(compress_alertmanager_config(text, speed)), addresses))


def _moved(node: Any, addresses: Addresses) -> Any:
    if isinstance(node, dict):
        return {key: _moved(value, addresses) for key, value in node.items()}
    if isinstance(node, list):
        return [_moved(value, addresses) for value in node]
    if not isinstance(node, str):
        return node
    if node in addresses:
        return addresses[node]
    netloc = urlsplit(node).netloc if node.startswith("http://") else ""
    return node.replace(netloc, addresses[netloc], 1) if netloc in addresses else node


def write_config(folder: Path, text: str, speed: float, addresses: Addresses) -> Path:
    """Write the configuration for one run; the path of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "alertmanager.yml"
    path.write_text(render_config(text, speed, addresses), encoding="utf-8")
    return path


def spec(binary: Binary, config: Path, data: Path, volume: VolumeSpec, listen: str) -> ServiceSpec:
    """How to run it: alone, without a cluster."""
    wanted = {
        **compose.load()["alertmanager"].flags(),
        "--config.file": str(config),
        "--storage.path": str(data),
        "--web.listen-address": listen,
    }
    argv = (str(binary.path), *(f"{flag}={value}" for flag, value in wanted.items()))
    return ServiceSpec(
        "alertmanager", argv, ready_path="/-/ready", ready_port=PORT, volume=volume, reads=(config.parent,)
    )
