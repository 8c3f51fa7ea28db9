"""The owner of the teaching stack: starts it, deploys faults into it, brings back what dies, stops it."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lab.catalog import Found, find
from lab.classroom import seen
from lab.classroom.faults import Live, Switch, lacking, wanted
from lab.classroom.live import Offer, offers
from lab.classroom.prepared import Prepared
from lab.classroom.recent import Recent, Watcher, watched
from lab.classroom.status import Happened, Status, Turn
from lab.deployment import HEALTHY, Deployment, What
from lab.errors import LabError, LoadError, StartError, UsageError
from lab.events import Deployed
from lab.load import Traffic
from lab.logs import LogWatch, pack
from lab.runtime.protocol import Runtime, VolumeSpec
from lab.scenario import Storage
from lab.stack import PATIENT_DATA, Stack

if TYPE_CHECKING:
    from lab.journal import Journal

COME_BACK = ("rag", "prometheus", "alertmanager")
"""Services that are started again when they end, as an orchestrator would."""
MOST_TURNS = 200
TRAFFIC_S = 30.0
"""Seconds in which traffic must flow."""
MOST_LOG_BYTES = 64 << 20
"""The service's log is cut when it is longer: a stack that stays up for days must not fill the machine's disk."""


@dataclass
class Owner:
    """One teaching stack. Thread-safe: one thing is done at a time."""

    prepared: Prepared
    runtime: Runtime
    run_dir: Path
    live: Live | None = None
    since: float = field(default_factory=time.time)
    _small: bool = False
    """Whether the patient's disk is the small one of a fault."""
    _unbounded: str = ""
    """Why this machine can't bound a disk."""
    _stopping: bool = False
    _happened: deque[Happened] = field(default_factory=lambda: deque(maxlen=20))
    _acting: threading.RLock = field(default_factory=threading.RLock)
    _names: tuple[str, ...] = ()
    turns: list[Turn] = field(default_factory=list)
    """What was live since when, oldest first."""

    def __post_init__(self) -> None:
        prepared, options = self.prepared, self.prepared.options
        self.stack = Stack(
            self.runtime, prepared.place.servers, replace(prepared.scenario, storage=self._storage()),
            prepared.detect_rules, options.speed, options.seed, self.run_dir,
        )  # fmt: skip
        self.traffic = Traffic(
            self.runtime, self.run_dir, self.stack.inside("rag:8000"), options.seed, self.stack.outside(),
            reads=(self.stack.dashboard.parent,), private=prepared.place.name == "docker",
        )  # fmt: skip
        self.recent = Recent(watched(prepared.detect_rules))
        no_logs = LogWatch(self.run_dir, ())
        kept = cast("Journal", self.recent)  # it takes the same, and forgets
        self.watcher = Watcher(self.stack, self.traffic, kept, no_logs, (), asks_culprit=False)

    # Starting and stopping

    def start(self) -> None:
        """Start everything, healthy and under load; returns when it is ready. Raises `LabError`."""
        self.stack.start()
        self._names = tuple(self.stack.running)
        self._start_traffic()
        self.watcher.start()
        self._await_traffic()
        self._turn("healthy", "")

    def _start_traffic(self) -> None:
        prepared = self.prepared
        self.traffic.start(prepared.scenario.load, prepared.locustfile, prepared.options.speed)

    def _await_traffic(self) -> None:
        deadline = time.monotonic() + TRAFFIC_S
        while self.prepared.scenario.load.users and self.recent.requests_per_s is None:
            self.traffic.check()
            if time.monotonic() > deadline:
                raise LoadError(f"no traffic after {TRAFFIC_S:.0f} s; see {self.run_dir}/logs/load.log")
            time.sleep(0.1)

    def _storage(self) -> Storage:
        """The patient's disk while nothing is broken: with room, where the scenario bounds it at all."""
        storage = self.prepared.scenario.storage
        if storage.size_mib is None:
            return storage
        try:
            self.runtime.data_dir(VolumeSpec(PATIENT_DATA, storage.healed_mib))
        except StartError as error:
            self._unbounded = str(error)
            return Storage(size_mib=None)
        return replace(storage, size_mib=storage.healed_mib)

    def stop(self) -> None:
        """Stop everything. What is being done is waited for, but not for long."""
        waited = self._acting.acquire(timeout=10.0)
        self.stack.give_up()
        self._stopping = True
        self.watcher.stop()
        with ThreadPoolExecutor(2) as pool:
            for done in (pool.submit(self.traffic.stop), pool.submit(self.stack.stop_services)):
                done.result()
        if waited:
            self._acting.release()
        pack(self._log)

    @property
    def _log(self) -> Path:
        return self.run_dir / "logs" / "rag.jsonl"

    # Faults

    def switch(self, target: str, variant: str, switch: Switch) -> str:
        """Switch a fault of a scenario (name or folder) and variant ("": the one that is live, or its first).

        What is live now, in words. Raises `UsageError` where it can't be switched now, in this stack.
        """
        with self._acting:
            if self._stopping:
                raise LabError("the stack is being stopped")
            found = self._meant(target, variant)
            if not wanted(self.live, found, switch):
                return self._unchanged()
            if switch == "on":
                self._require(found)
            deployment = HEALTHY if switch == "off" else found.deployment("broken" if switch == "on" else "fixed")
            self.prepared.check(deployment)
            try:
                self._deploy(deployment, self._disk_mib(found, switch))
            except (OSError, KeyError) as error:  # of a service that has just ended, a run folder that is gone
                why = f"{found.scenario.label}: could not be deployed whole: {type(error).__name__}: {error}"
                raise LabError(f"{why}; `lab status` says what is down") from error
            finally:  # also when it does not come up: it is what was deployed, and can be turned off
                what = None if deployment.what == "healthy" else deployment.what
                self.live = Live(found, what, time.time()) if what else None
                self._turn(deployment.what, found.scenario.label)
            return self._said(found, deployment)

    def _turn(self, what: What, label: str) -> None:
        now = time.time()
        self.turns.append(Turn(now, what, label if what != "healthy" else ""))
        del self.turns[:-MOST_TURNS]
        self.recent.record(Deployed(now, what, tuple(self.stack.live.files)))

    def offers(self) -> list[Offer]:
        """Every fault of the lab, and whether it fits this stack."""
        return offers(self.stack.scenario, self.prepared.detect_rules, self._unbounded)

    def _meant(self, target: str, variant: str) -> Found:
        found = find(target, variant or None)
        if not variant and self.live is not None and self.live.found.folder == found.folder:
            return self.live.found
        return found

    def _require(self, found: Found) -> None:
        label = found.scenario.label
        needs = lacking(found, self.stack.scenario, self.prepared.detect_rules)
        if found.scenario.storage.size_mib is not None and self._unbounded:
            raise UsageError(f"{label}: {self._unbounded}")
        if needs:
            what = ", ".join(needs)
            raise UsageError(f"{label} needs {what}, which this stack has not: lab down, then lab up {label}")

    def _disk_mib(self, found: Found, switch: Switch) -> float | None:
        """Size of the new, empty disk that a switch gives the patient; None: it keeps the one it has."""
        storage = found.scenario.storage
        if storage.size_mib is None:
            return None
        if switch == "on":
            return storage.size_mib
        return storage.healed_mib if self._small and (switch == "off" or found.scenario.wipe_on_fix) else None

    def _deploy(self, deployment: Deployment, disk_mib: float | None) -> None:
        with ThreadPoolExecutor(2) as pool:
            doing = [pool.submit(self.stack.deploy, deployment, patient=disk_mib is None)]
            if disk_mib is not None:
                self._small = deployment.what == "broken"
                doing.append(pool.submit(self.stack.renew_patient, disk_mib, deployment))
            for done in doing:
                done.result()

    def _said(self, found: Found, deployment: Deployment) -> str:
        label = found.scenario.label
        if deployment.what == "healthy":
            return f"{label} is off: the stack is healthy again"
        files = ", ".join(f"{deployment.what}/{name}" for name in deployment.files)
        size = found.scenario.storage.size_mib if deployment.what == "broken" else None
        disk = f"; Prometheus begins anew on {size:g} MiB" if size else ""
        return f"{label}: live is {files}{disk}"

    def _unchanged(self) -> str:
        if self.live is None:
            return "no fault is on"
        clock = time.strftime("%H:%M:%S", time.localtime(self.live.since))
        return f"{self.live.label} is {self.live.what} since {clock} already"

    # Watching

    def look(self) -> None:
        """Bring back what ended, keep the log short. Called once a second."""
        if not self._acting.acquire(blocking=False):
            return  # a deployment is under way: what it stops has not died
        try:
            self._bring_back_the_dead()
            self._check_traffic()
            self._shorten_log()
        except (LabError, OSError) as error:  # such as an engine that is gone; it may come back
            self._note(str(error))
        finally:
            self._acting.release()

    def _bring_back_the_dead(self) -> None:
        for name, _, how in self.stack.ended():
            self._note(f"{name} ended: {how}")
            if name in COME_BACK:
                self._bring_back(name)

    def _bring_back(self, name: str) -> None:
        try:
            self.stack.restart(name)
            self._note(f"{name} was started again")
        except (LabError, OSError) as error:
            self._note(f"{name} could not be started again: {error}")

    def _check_traffic(self) -> None:
        try:
            self.traffic.check()
        except LabError as error:
            self._note(str(error))
            self.traffic.stop()
            self._start_traffic()

    def _shorten_log(self) -> None:
        with suppress(OSError):
            if self._log.stat().st_size > MOST_LOG_BYTES:
                shutil.copyfile(self._log, self._log.with_suffix(".1.jsonl"))
                with self._log.open("r+b") as log:  # the service appends: it goes on at the new end
                    log.truncate(0)

    def _note(self, what: str) -> None:
        if self._happened and self._happened[-1].what == what:
            self._happened.pop()  # told once, with the last time
        self._happened.append(Happened(time.time(), what))

    # Telling

    def status(self) -> Status:
        """A look at everything; servers that do not answer are named."""
        return seen.status(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Services that belong to the stack, up or not."""
        return self._names

    @property
    def happened(self) -> tuple[Happened, ...]:
        """What happened without being asked for, oldest first."""
        return tuple(self._happened)
