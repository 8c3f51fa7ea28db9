"""The stack: the services of a run. Start, wait until ready, deploy, stop in reverse."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from lab import signals
from lab.backfill import Past, blocks, play
from lab.configs import Configs
from lab.deployment import DEPLOYED_RULES, HEALTHY, Deployment
from lab.endpoints import ENDPOINTS, OBSERVER, PATIENT
from lab.errors import StartError
from lab.names import NO_NAMES, Names
from lab.ready import end_of, tail, wait_ready
from lab.replicas import PORT as REPLICA_PORT
from lab.replicas import names as replica_names
from lab.replicas import spec as replica
from lab.runtime.place import Servers
from lab.runtime.protocol import Running, Runtime, ServiceSpec, VolumeSpec
from lab.scenario import Scenario
from lab.services import alertmanager, host, prometheus, rag, receiver

PATIENT_DATA = "prometheus-data"


@dataclass
class Stack:
    """The services of one run. Every start is awaited; a service that dies meanwhile fails it at once."""

    runtime: Runtime
    servers: Servers
    scenario: Scenario
    detect_rules: Mapping[str, str]
    speed: float
    seed: int
    run_dir: Path
    also_host: str = ""
    """A second address of this machine at which the service answers queries: workers elsewhere reach it there."""
    names: Names = NO_NAMES
    """Of the metrics in a learner's answer: the observer takes them under the lab's."""
    live: Deployment = HEALTHY
    running: dict[str, Running] = field(default_factory=dict)
    admin_token: str = field(default_factory=lambda: secrets.token_hex(16))
    past: Past | None = field(default=None, init=False)
    """What the patient's Prometheus was given as its past, once it is started."""
    _storage: VolumeSpec = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _deploying: threading.Lock = field(default_factory=threading.Lock)
    """Held while services are replaced or brought back: a deployment and a restart must not both start one."""
    _over: threading.Event = field(default_factory=threading.Event)
    _renewing: threading.Lock = field(default_factory=threading.Lock)  # the patient is renewed beside a deployment

    def __post_init__(self) -> None:
        self._storage = VolumeSpec(PATIENT_DATA, self.scenario.storage.size_mib)
        (self.run_dir / "config").mkdir(exist_ok=True)

    def address(self, name: str) -> str:
        """`host:port` of a service by its compose name, such as `prometheus:9090`."""
        return self.runtime.address(*ENDPOINTS[name])

    @property
    def queries(self) -> str:
        """The service's counter of queries; beside replicas only the service's own, which has the lab's traffic."""
        return f'{signals.QUERIES}{{job="rag"}}' if self._replicas else signals.QUERIES

    def urls(self) -> dict[str, str]:
        """What a person can open in a browser, or put a path behind."""
        return {name.partition(":")[0]: f"http://{self.address(name)}" for name in ENDPOINTS if name != "rag:8001"}

    def inside(self, name: str) -> str:
        """`host:port` at which the services themselves reach one."""
        return self.runtime.inside(*ENDPOINTS[name])

    @property
    def target(self) -> str:
        """`host:port` at which those who make traffic reach the service."""
        inside = self.inside("rag:8000")
        return f"{self.also_host}:{inside.rpartition(':')[2]}" if self.also_host else inside

    @cached_property
    def _configs(self) -> Configs:
        folder = self.run_dir / "config"
        return Configs(
            folder, self.scenario, self.servers, self.detect_rules, self.speed, self._addresses, self.names
        )  # fmt: skip

    @property
    def _addresses(self) -> dict[str, str]:
        replicas = {f"{name}:{REPLICA_PORT}": self.runtime.inside(name, rag.METRICS_PORT) for name in self._replicas}
        return {**{name: self.inside(name) for name in ENDPOINTS}, **replicas}

    @property
    def _replicas(self) -> tuple[str, ...]:
        return replica_names(self.scenario.replicas)

    # Starting and stopping

    def start(self) -> None:
        """Start everything side by side, healthy, and wait until all of it is ready."""
        self._configs.published.show(self.live)
        first = [self._receiver(), self._host(), self._rag(), self._alertmanager()]
        with ThreadPoolExecutor(len(first)) as pool:
            started = pool.map(self._start, [*first, *self._replica_specs()])
            self._backfill()
            then = [self._patient(), self._observer()]
            list(started)
            list(pool.map(self._start, then))
        self._write_targets()
        self.wait_ready([*(spec.name for spec in (*first, *then)), *self._replicas])

    def _start(self, spec: ServiceSpec) -> None:
        running = self.runtime.start(spec)
        with self._lock:
            self.running[spec.name] = running

    def wait_ready(self, names: Iterable[str]) -> None:
        """Wait until each answers on its readiness path. Raises `StartError` with a dead service's last lines."""
        for name in names:
            service = self.running.get(name)
            if service is None:  # who watches for ends was quicker
                raise StartError(f"{name} ended while it was awaited: {tail(self.run_dir / 'logs' / f'{name}.log')}")
            url = f"http://{self.runtime.address(name, service.spec.ready_port)}{service.spec.ready_path}"
            wait_ready(service, url, self._over)

    def give_up(self) -> None:
        """What is being deployed is not wanted any more: nothing is awaited from now on."""
        self._over.set()

    def stop(self, name: str, grace_s: float | None = None) -> None:
        """Stop one service, within its own grace where none is given; a no-op when it does not run."""
        with self._lock:
            service = self.running.pop(name, None)
        if service is not None:
            self.runtime.stop(service, grace_s)

    def stop_services(self) -> None:
        """Stop in reverse: who asks before who answers; services of one rank side by side."""
        for rank in ((OBSERVER, PATIENT), ("alertmanager", "rag", "host", *self._replicas), ("receiver",)):
            with ThreadPoolExecutor(len(rank)) as pool:
                list(pool.map(self.stop, rank))

    def ended(self) -> list[tuple[str, int, str]]:
        """Services that ended without being asked: name, exit code, how; each is named once."""
        with self._lock:
            dead = [(n, c, end_of(s)) for n, s in self.running.items() if (c := s.exit_code()) is not None]
            for name, _, _ in dead:
                self.running.pop(name)
        return dead

    def restart(self, name: str) -> bool:
        """Start again what has ended, and wait for it; False: a deployment did so meanwhile. Raises `StartError`."""
        specs = {"rag": self._rag, PATIENT: self._patient, "alertmanager": self._alertmanager}
        with self._renewing if name == PATIENT else self._deploying:
            if name in self.running:
                return False
            self._start(specs[name]())
            self._write_targets()
            self.wait_ready([name])
        return True

    # Deploying

    def deploy(self, deployment: Deployment, *, patient: bool = True) -> None:
        """Put a deployment live, as an operator would: restart what changed in code, reload what changed in files.

        Without `patient` its Prometheus is left alone: whoever renews it at the same time gives it its files.
        """
        with self._deploying:
            self._deploy(deployment, patient=patient)

    def _deploy(self, deployment: Deployment, *, patient: bool) -> None:
        before, self.live = self.live, deployment
        # First: those who look at it ask no more for what the old one asked.
        self._configs.published.show(deployment)
        # A release restarts the service, whatever it changes.
        if {"metrics.py", "settings.env"} & {*before.files, *deployment.files}:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(self.stop, ("rag", *self._replicas)))
                list(pool.map(self._start, [self._rag(), *self._replica_specs()]))
        if patient and before.differs(deployment, "prometheus.yml", "rules.yml"):
            self._renew_rules()
        if before.differs(deployment, "alertmanager.yml"):
            self._configs.alertmanager(self.live)
            self.runtime.reload(self.running["alertmanager"])
        self._write_targets()
        self.wait_ready(["rag", *self._replicas])

    def renew_patient(self, size_mib: float, deployment: Deployment) -> None:
        """Bring the patient's Prometheus back with empty storage of another size, and with a deployment's files."""
        with self._renewing:
            self.stop(PATIENT)
            self._storage = VolumeSpec(PATIENT_DATA, size_mib if self._storage.size_mib is not None else None)
            self.runtime.replace_volume(self._storage)
            self._start(self._patient(deployment))
            self._write_targets()
            self.wait_ready([PATIENT])

    # The past

    def _backfill(self) -> None:
        """Give the patient's Prometheus its past before it starts."""
        if self.scenario.backfill is not None:
            self.past = play(self.scenario.backfill, self.seed, time.time())
            blocks(self.runtime, self.servers.promtool, self._storage).write(self.past)

    def _renew_rules(self) -> None:
        """Let the patient read its rules anew; over a past also record what they would have recorded.

        New blocks are seen at the server's own tick within a minute, after a restart at once: so it is restarted.
        """
        config = self._configs.patient(self.live)
        if self.past is None or "rules.yml" not in self.live.files:
            self.runtime.reload(self.running[PATIENT])
            return
        self._restart_patient()  # free of the slow queries it computes, it is asked what was to be recorded
        url = f"http://{self.address('prometheus:9090')}"
        blocks(self.runtime, self.servers.promtool, self._storage, self._over).record(
            config.parent / DEPLOYED_RULES, url, self.past.start, self.past.end
        )
        self._restart_patient()

    def _restart_patient(self) -> None:
        """Not asked to end but killed: while it computes slow queries, up to 2.42, it looks at its end, as at a
        timeout, only after each computation. What was scraped is in its write-ahead log, and is read back.
        """
        self.stop(PATIENT, grace_s=0.0)
        self._start(self._patient())
        self._write_targets()
        self.wait_ready([PATIENT])

    # What each service is

    def _write_targets(self) -> None:
        holder = self.runtime.holder(PATIENT_DATA)
        volumes = {PATIENT_DATA: {"holder": holder[0], "path": str(holder[1])}} if holder else {}
        path = self._targets_file()
        temporary = path.with_suffix(".tmp")
        with self._lock:
            pids = {name: service.pid for name, service in self.running.items()}
            temporary.write_text(json.dumps({"services": pids, "volumes": volumes}), encoding="utf-8")
            temporary.replace(path)

    def _targets_file(self) -> Path:
        return self.run_dir / "config" / "host-targets.json"

    def _receiver(self) -> ServiceSpec:
        return receiver.spec(self.runtime.listen("receiver", receiver.PORT))

    def _host(self) -> ServiceSpec:
        return host.spec(self.runtime.listen("host", host.PORT), self._targets_file())

    def _rag(self) -> ServiceSpec:
        given = rag.options(self.scenario.service, self.speed)
        also = {"also_host": self.also_host} if self.also_host else {}
        return rag.spec(
            self.runtime.listen("rag", rag.PORT),
            self.runtime.listen("rag", rag.METRICS_PORT),
            log=self.run_dir / "logs" / "rag.jsonl",
            seed=self.seed,
            options={**given, **also, **self.live.settings(), "admin_token": self.admin_token},
            metrics=self.live.files.get("metrics.py"),
            memory_mib=self.scenario.memory_mib.get("rag"),
        )

    def _replica_specs(self) -> list[ServiceSpec]:
        scale, metrics = self.scenario.replicas, self.live.files.get("metrics.py")
        return [] if scale is None else [
            replica(name, self.runtime.listen(name, rag.METRICS_PORT), scale, self.speed, number, metrics)
            for number, name in enumerate(self._replicas, self.seed * 1000)
        ]  # fmt: skip

    def switch(self, switches: Mapping[str, float | None]) -> None:
        """Turn the service's admin switches. Raises `LabError` when it refuses."""
        rag.switch(self.address("rag:8000"), self.admin_token, switches)

    @property
    def dashboard(self) -> Path:
        """Where the dashboard that is live can be read by those who view it."""
        return self._configs.published.dashboard

    def outside(self) -> dict[str, str]:
        """What those who view and ask find in their environment."""
        return {**self._configs.published.env(), "LAB_PROMETHEUS_URL": f"http://{self.inside('prometheus:9090')}"}

    def _alertmanager(self) -> ServiceSpec:
        volume = VolumeSpec("alertmanager-data")
        data = self.runtime.data_dir(volume)
        listen = self.runtime.listen("alertmanager", alertmanager.PORT)
        return alertmanager.spec(self.servers.alertmanager, self._configs.alertmanager(self.live), data, volume, listen)

    def _patient(self, live: Deployment | None = None) -> ServiceSpec:
        data = self.runtime.data_dir(self._storage)
        listen = self.runtime.listen(PATIENT, prometheus.PORT)
        config = self._configs.patient(live or self.live)
        spec = prometheus.spec(
            PATIENT, self.servers.prometheus, config, data, self._storage, listen, self._configs.patient_speed,
            more=self.scenario.patient.flags,
        )  # fmt: skip
        return replace(spec, memory_mib=self.scenario.memory_mib.get(PATIENT))

    def _observer(self) -> ServiceSpec:
        volume = VolumeSpec("observer-data")
        config = self._configs.observer()
        data, listen = self.runtime.data_dir(volume), self.runtime.listen(OBSERVER, prometheus.PORT)
        return prometheus.spec(OBSERVER, self.servers.prometheus, config, data, volume, listen, self.speed)
