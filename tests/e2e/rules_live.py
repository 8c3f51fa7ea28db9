"""Seven services side by side, one switch turned in each but one, and what the rules made of it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from rules_stack import Services, binary
from waiting import until

from lab.deployment import HEALTHY, rule_files
from lab.errors import LabError
from lab.paths import compose_dir
from lab.prom import Prometheus
from lab.runtime.protocol import ServiceSpec, VolumeSpec
from lab.services import prometheus, rag

SPEED = 15.0
TOKEN = "let-me-in"
HEALTHY_JOB = "healthy"
RATE = 12.0  # queries a second to each service
POPULAR = 0.6  # share of them that ten questions make up

SWITCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "failing": ("HighErrorRate", {"error_rate": 0.5}),
    "uncached": ("LowCacheHitRate", {"cache": False}),
    "slow": ("HighLatencyP95", {"latency_ms": 2500}),
    "dear": ("CostSpike", {"cost_factor": 10_000}),
    "throttled": ("RateLimitClose", {"quota": 900}),
    "babbling": ("ResponseQualityLow", {"quality": 0.5}),
}
"""Job -> the alert, and the switch that must make it fire."""

BACK = {"error_rate": None, "cache": True, "latency_ms": None, "cost_factor": 1, "quota": None, "quality": 1}
Pair = tuple[str, str]
"""Job and alert."""


class Load:
    """Questions to all services at a constant rate, from one thread; a failed one is the service's business."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._drive(),))

    async def _drive(self) -> None:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http, asyncio.TaskGroup() as tasks:
            for job, url in self.urls.items():
                tasks.create_task(self._ask(http, job, url))

    async def _ask(self, http: httpx.AsyncClient, job: str, url: str) -> None:
        dice = random.Random(job)
        running: set[asyncio.Task[None]] = set()
        while not self._over.is_set():
            number = dice.randrange(10) if dice.random() < POPULAR else dice.getrandbits(40)
            task = asyncio.create_task(post(http, f"{url}/query", f"What is the state of host {number}?"))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.wait([asyncio.create_task(self._over.wait())], timeout=1 / RATE)
        await asyncio.gather(*running)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()


async def post(http: httpx.AsyncClient, url: str, question: str) -> None:
    try:
        await http.post(url, json={"query": question, "user_id": "user-1"})
    except httpx.HTTPError:
        return


@dataclass
class Seen:
    """What a session of healthy, broken and mended services showed; alerts as (job, alert)."""

    at_start: set[Pair]
    raised: set[Pair]
    console: list[dict[str, Any]]
    slack: list[dict[str, Any]]

    def told(self, pair: Pair) -> list[str]:
        """The states that the console was told of, in order."""
        return [n["status"] for n in self.console if (n["labels"].get("job"), n["alert"]) == pair]


@dataclass
class Live:
    """The stack under the load."""

    stack: Services
    patient: Prometheus
    observer: Prometheus

    def fired(self) -> set[Pair]:
        """Every alert that has fired so far, at either Prometheus."""
        found: set[Pair] = set()
        for server in (self.patient, self.observer):
            points = server.query('count by (job, alertname) (count_over_time(ALERTS{alertstate="firing"}[10m]))')
            found |= {(p.labels.get("job", ""), p.labels["alertname"]) for p in points}
        return found - {("", "Watchdog")}

    def scraped(self, times: int) -> bool:
        """Whether every service was scraped so often."""
        try:
            points = self.patient.query(f"count_over_time(up[10m]) >= {times}")
        except LabError:
            return False
        return {p.labels["job"] for p in points} >= {HEALTHY_JOB, *SWITCHES}

    def turn(self, job: str, change: dict[str, Any]) -> None:
        """Turn a service's switches."""
        url = f"http://{self.stack.address(job)}/admin/switches"
        headers = {"X-Admin-Token": TOKEN}
        httpx.post(url, json=change, headers=headers, trust_env=False).raise_for_status()

    def told(self, status: str) -> set[Pair]:
        """What the console has been told."""
        return {(n["labels"].get("job", ""), n["alert"]) for n in self.on("console") if n["status"] == status}

    def on(self, route: str) -> list[dict[str, Any]]:
        """What arrived on a route."""
        return [n for n in self.stack.notifications() if n["route"] == route]


def service(stack: Services, job: str) -> ServiceSpec:
    spec = rag.spec(
        stack.address(job), stack.address(job, rag.METRICS_PORT),
        log=stack.folder / f"{job}.jsonl", seed=1, options={"admin_token": TOKEN}, metrics=None,
    )  # fmt: skip
    return replace(spec, name=job)


def server(stack: Services, name: str, config: str, rules: dict[str, str], addresses: dict[str, str]) -> ServiceSpec:
    program, volume = binary("prometheus"), VolumeSpec(f"{name}-data")
    path = prometheus.write_config(stack.folder / name, config, rules, program, SPEED, addresses)
    return prometheus.spec(name, program, path, stack.runtime.data_dir(volume), volume, stack.address(name), SPEED)


def patient_config(jobs: list[str]) -> str:
    """The patient's configuration as it is shipped, with a scrape job for each service."""
    config = yaml.safe_load(HEALTHY.prometheus_config())
    config["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [f"{job}:8001"]}]} for job in jobs
    ]  # fmt: skip
    return yaml.safe_dump(config)


def start(stack: Services) -> Live:
    """Start everything that a run has, but for the host exporter, which the observer will miss."""
    jobs = [HEALTHY_JOB, *SWITCHES]
    addresses = {f"{job}:8001": stack.address(job, rag.METRICS_PORT) for job in jobs}
    addresses |= {f"{name}:9090": stack.address(name) for name in ("prometheus", "observer")}
    addresses |= {"alertmanager:9093": stack.address("alertmanager"), "host:9100": stack.address("host")}
    addresses["rag:8001"] = addresses[f"{HEALTHY_JOB}:8001"]
    folder: Path = compose_dir() / "prometheus"
    stack.start(stack.receiver(), stack.alertmanager(SPEED, {}), *(service(stack, job) for job in jobs))
    stack.start(
        server(stack, "prometheus", patient_config(jobs), HEALTHY.prometheus_rules(), addresses),
        server(
            stack, "observer", (folder / "observer.yml").read_text(encoding="utf-8"),
            rule_files(folder / "observer-rules", "observer-rules"), addresses,
        ),
    )  # fmt: skip
    return Live(stack, Prometheus(stack.address("prometheus")), Prometheus(stack.address("observer")))


def play(stack: Services) -> Seen:
    """Healthy, then a switch in each service and a redeploy of the healthy one, then everything back."""
    live = start(stack)
    expected = {(job, alert) for job, (alert, _) in SWITCHES.items()}
    with Load({job: f"http://{stack.address(job)}" for job in (HEALTHY_JOB, *SWITCHES)}).running():
        until(lambda: live.scraped(20), 120, "every service was scraped twenty times, a full window of the rules")
        at_start = live.fired()
        for job, (_, change) in SWITCHES.items():
            live.turn(job, change)
        stack.restart(HEALTHY_JOB)
        gather(lambda: live.told("firing") >= expected, 120)
        for job in SWITCHES:
            live.turn(job, BACK)
        gather(lambda: live.told("resolved") >= expected, 120)
    return Seen(at_start, live.fired(), live.on("console"), live.on("alerts"))


def gather(condition: Any, deadline_s: float) -> None:
    """Wait, and let the tests say what is missing: a single alert that stays away must not hide the others."""
    try:
        until(condition, deadline_s, "")
    except (AssertionError, pytest.fail.Exception):
        return
