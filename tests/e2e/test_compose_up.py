"""`docker compose up -d --wait` on compose.yaml alone brings up a stack that watches itself."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from engine import engine, no_containers
from waiting import until

from lab.images import choose
from lab.prom import Prometheus

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.contained]

FILE = Path(__file__).resolve().parents[2] / "compose" / "compose.yaml"
PORTS = ("RAG", "RAG_METRICS", "PROMETHEUS", "OBSERVER", "ALERTMANAGER", "RECEIVER", "HOST", "GRAFANA")
PROJECT = "lab-test-of-compose"


class Up:
    """The stack under a project name and on ports of its own; Grafana only where its image is there."""

    def __init__(self) -> None:
        docker = engine()
        chosen = choose(docker)
        docker.close()
        self.ports = {name: _free_port() for name in PORTS}
        self.grafana = chosen["grafana"].present
        images = {c.variable: c.image for c in chosen.values() if c.present}
        numbers = {f"LAB_{name}_PORT": str(port) for name, port in self.ports.items()}
        self.env = {**os.environ, **images, **numbers}
        if self.compose("version").returncode:
            no_containers("docker has no compose plugin")

    def compose(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-name", PROJECT, "--file", str(FILE), *arguments]
        try:
            return subprocess.run(
                command, env={**self.env, **variables}, capture_output=True, text=True, timeout=150, check=False
            )
        except FileNotFoundError:
            return subprocess.CompletedProcess(command, 127, "", "no docker command")

    def up(self) -> None:
        scale = [] if self.grafana else ["--scale", "grafana=0"]
        done = self.compose("up", "--detach", "--wait", "--pull", "never", *scale)
        assert done.returncode == 0, done.stderr[-3000:]

    def get(self, name: str, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=5.0, trust_env=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack() -> Iterator[Up]:
    made = Up()
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "2")


def states(stack: Up, name: str) -> dict[str, str]:
    found: dict[str, Any] = stack.get(name, "/api/v1/targets").json()
    return {t["labels"]["job"]: t["health"] for t in found["data"]["activeTargets"]}


def test_every_target_is_up(stack: Up) -> None:
    for name, jobs in (
        ("PROMETHEUS", {"rag", "prometheus"}),
        ("OBSERVER", {"rag", "prometheus", "alertmanager", "host"}),
    ):
        until(lambda name=name: set(states(stack, name).values()) == {"up"}, 40, f"all targets of {name} are up")
        assert jobs <= states(stack, name).keys()


def test_a_query_is_answered_and_kept_in_redis(stack: Up) -> None:
    url = f"http://127.0.0.1:{stack.ports['RAG']}/query"
    asked = {"query": "How do I set up billing?", "user_id": "user-1"}
    first, second = (httpx.post(url, json=asked, timeout=10.0, trust_env=False).json() for _ in range(2))
    assert first["cached"] is False
    assert second["cached"] is True
    assert stack.get("RAG", "/ready").status_code == 200
    keys = stack.compose("exec", "-T", "redis", "redis-cli", "dbsize").stdout
    assert int(keys.split()[-1]) > 0


def test_the_host_exporter_sees_the_others_from_outside(stack: Up) -> None:
    text = stack.get("HOST", "/metrics").text
    for name in ("rag", "prometheus", "observer", "alertmanager", "receiver"):
        assert f'container_memory_working_set_bytes{{name="{name}"}}' in text
    assert 'node_filesystem_size_bytes{mountpoint="prometheus-data"} 2.68435456e+08' in text


def asked(stack: Up) -> float:
    """Queries that the service has counted."""
    text = stack.get("RAG_METRICS", "/metrics").text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("rag_queries_total{"))


def test_the_profile_load_makes_traffic_with_the_workers_it_is_scaled_to(stack: Up) -> None:
    before = asked(stack)
    up = ("--profile", "load", "up", "--detach", "--pull", "never", "--scale", "load-worker=2", "load", "load-worker")
    done = stack.compose(*up, LAB_WORKERS="2", LAB_USERS="20", LAB_RUN_TIME="60s")
    assert done.returncode == 0, done.stderr[-3000:]
    until(lambda: asked(stack) > before + 40, 40, "the service is asked")
    told = stack.compose("--profile", "load", "logs", "load").stdout
    assert "2 workers connected" in told, told[-2000:]
    assert stack.compose("--profile", "load", "rm", "--stop", "--force", "load", "load-worker").returncode == 0
    counted = [asked(stack)]

    def quiet() -> bool:
        counted.append(asked(stack))
        return counted[-1] == counted[-2]

    until(quiet, 20, "without the profile nobody asks: the count stands still for two seconds", every_s=2.0)


def test_rules_are_loaded_and_the_heartbeat_arrives(stack: Up) -> None:
    for name in ("PROMETHEUS", "OBSERVER"):
        client = Prometheus(f"127.0.0.1:{stack.ports[name]}", timeout_s=5.0)
        assert client.alert_rules()
        client.close()
    until(lambda: stack.get("RECEIVER", "/notifications").json()["heartbeat_at"] > 0, 90, "Watchdog at the receiver")


def test_the_file_is_one_that_compose_takes(stack: Up) -> None:
    done = stack.compose("--profile", "load", "config", "--quiet")
    assert done.returncode == 0, done.stderr
