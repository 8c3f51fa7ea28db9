"""The owner of the teaching stack, over a stack that only writes down what is asked of it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import signals
from lab.catalog import find
from lab.classroom import owner as owning
from lab.classroom import seen
from lab.classroom.general import general
from lab.classroom.owner import Owner
from lab.classroom.prepared import Prepared
from lab.classroom.recent import Recent
from lab.classroom.status import from_json
from lab.deployment import HEALTHY, Deployment
from lab.errors import LabError, LoadError, StartError, UsageError
from lab.history import Sample
from lab.options import Options
from lab.runtime.protocol import VolumeSpec
from lab.scenario import Scenario

DISK, QUIET, PAST = "cardinality", "missing_metrics", "slow_queries"


class FakeRunning:
    def __init__(self, code: int | None = None) -> None:
        self.code = code

    def exit_code(self) -> int | None:
        return self.code


class FakeStack:
    """What `Stack` is asked, as text in `did`."""

    def __init__(self, runtime: Any, servers: Any, scenario: Scenario, *_: Any) -> None:
        self.scenario, self.live, self.did = scenario, HEALTHY, []  # type: ignore[var-annotated]
        self.running = {"rag": FakeRunning(), "prometheus": FakeRunning(), "observer": FakeRunning()}
        self.dashboard = Path("/x/dashboard.json")
        self.dead: list[tuple[str, int, str]] = []
        self.fails = ""
        self.entered, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def start(self) -> None:
        self.did.append("start")

    def give_up(self) -> None:
        return None

    def stop_services(self) -> None:
        self.did.append("stop")

    def inside(self, name: str) -> str:
        return f"127.0.0.1:{len(name)}"

    address = inside

    def outside(self) -> dict[str, str]:
        return {"LAB_DASHBOARD": str(self.dashboard)}

    def urls(self) -> dict[str, str]:
        return {"rag": "http://127.0.0.1:1/"}

    def deploy(self, deployment: Deployment, *, patient: bool = True) -> None:
        self.entered.set()
        assert self.goes_on.wait(5)
        self.live = deployment
        self.did.append(f"deploy {deployment.what} {','.join(deployment.files)}{'' if patient else ' not the patient'}")
        if self.fails:
            raise StartError(self.fails)

    def renew_patient(self, size_mib: float, deployment: Deployment) -> None:
        self.did.append(f"renew {size_mib:g}")

    def ended(self) -> list[tuple[str, int, str]]:
        dead, self.dead = self.dead, []
        return dead

    def restart(self, name: str) -> bool:
        self.did.append(f"restart {name}")
        if self.fails:
            raise StartError(self.fails)
        return True


class FakeTraffic:
    def __init__(self, *_: Any, **__: Any) -> None:
        self.did: list[str] = []
        self.dead = ""

    def start(self, load: Any, locustfile: Path, speed: float) -> None:
        self.did.append(f"start {load.users} {speed:g}")

    def stop(self) -> None:
        self.did.append("stop")

    def check(self) -> None:
        if self.dead:
            raise LoadError(self.dead)


class FakeWatcher:
    serves = 299.96

    def __init__(self, stack: Any, traffic: Any, recent: Recent, *_: Any, **__: Any) -> None:
        self.recent, self.stopped = recent, False

    def start(self) -> None:
        if self.serves:
            self.recent.record(Sample(time.time(), {signals.RPS: self.serves}))

    def stop(self) -> None:
        self.stopped = True


class FakeRuntime:
    name = "native"

    def __init__(self) -> None:
        self.volumes: list[VolumeSpec] = []
        self.refuses = ""

    def data_dir(self, volume: VolumeSpec) -> Path:
        if self.refuses:
            raise StartError(self.refuses)
        self.volumes.append(volume)
        return Path("/x")


class FakePlace:
    name, servers = "native", None


Make = Callable[..., Owner]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr(owning, "Stack", FakeStack)
    monkeypatch.setattr(owning, "Traffic", FakeTraffic)
    monkeypatch.setattr(owning, "Watcher", FakeWatcher)
    monkeypatch.setattr(Prepared, "check", lambda *_: None)
    (tmp_path / "logs").mkdir()

    def build(scenario: Scenario | None = None, *, refuses: str = "") -> Owner:
        rules = {name: path.read_text() for name, path in find(DISK).rules().items()}
        prepared = Prepared("", scenario or general(), Path("teaching.py"), FakePlace(), rules, Options(speed=12))  # type: ignore[arg-type]
        runtime = FakeRuntime()
        runtime.refuses = refuses
        found = Owner(prepared, runtime, tmp_path)  # type: ignore[arg-type]
        found.start()
        return found

    return build


def did(owner: Owner) -> list[str]:
    """What the stack was asked since the last call; the two halves of a deployment in the order of the alphabet."""
    stack: Any = owner.stack
    found, stack.did = sorted(stack.did), []
    return found


def switch(owner: Owner, target: str, what: Any) -> str:
    found = find(target)
    return owner.switch(str(found.folder), found.scenario.variant if ":" in target else "", what)


def test_it_starts_the_stack_and_then_the_traffic(make: Make) -> None:
    owner = make()
    assert did(owner) == ["start"]
    assert owner.traffic.did == ["start 100 12"]  # type: ignore[attr-defined]


def test_on_fix_off(make: Make) -> None:
    owner = make()
    did(owner)
    label = f"{QUIET}:server_not_started"
    assert switch(owner, QUIET, "on") == f"{label}: live is broken/metrics.py"
    assert did(owner) == ["deploy broken metrics.py"]
    assert switch(owner, QUIET, "fix") == f"{label}: live is fixed/metrics.py"
    assert did(owner) == ["deploy fixed metrics.py"]
    assert switch(owner, QUIET, "off") == f"{label} is off: the stack is healthy again"
    assert did(owner) == ["deploy healthy "]
    assert switch(owner, QUIET, "off") == "no fault is on"
    assert did(owner) == []


def test_on_twice_is_told_and_deploys_nothing(make: Make) -> None:
    owner = make()
    switch(owner, QUIET, "on")
    did(owner)
    assert "is broken since" in switch(owner, QUIET, "on")
    assert did(owner) == []


def test_a_name_without_a_variant_means_the_one_that_is_live(make: Make) -> None:
    owner = make()
    switch(owner, f"{QUIET}:metric_renamed", "on")
    assert switch(owner, QUIET, "fix") == f"{QUIET}:metric_renamed: live is fixed/metrics.py"
    with pytest.raises(UsageError, match=f"{QUIET}:endpoint_500 is not on"):
        switch(owner, f"{QUIET}:endpoint_500", "off")


def test_a_fault_of_the_disk_gets_its_small_one_and_gives_it_back(make: Make) -> None:
    owner = make()
    assert owner.runtime.volumes == [VolumeSpec("prometheus-data", 64.0)]  # type: ignore[attr-defined]
    did(owner)
    assert switch(owner, DISK, "on").endswith("; Prometheus begins anew on 1.6 MiB")
    assert did(owner) == ["deploy broken metrics.py not the patient", "renew 1.6"]
    assert "anew" not in switch(owner, DISK, "fix")
    assert did(owner) == ["deploy fixed metrics.py not the patient", "renew 64"]
    switch(owner, DISK, "off")
    assert did(owner) == ["deploy healthy "], "its disk has room already"


def test_off_without_a_fix_gives_the_disk_back_too(make: Make) -> None:
    owner = make()
    switch(owner, DISK, "on")
    did(owner)
    switch(owner, DISK, "off")
    assert did(owner) == ["deploy healthy  not the patient", "renew 64"]


def test_a_fix_that_wipes_nothing_leaves_the_disk_and_off_gives_it_back(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / DISK  # of the same name, so that its detection rules are those of the stack
    shutil.copytree(find(DISK).folder, folder)
    (folder / "scenario.py").write_text((folder / "scenario.py").read_text().replace("wipe_on_fix=True,", ""))
    owner = make()
    switch(owner, str(folder), "on")
    did(owner)
    switch(owner, str(folder), "fix")
    assert did(owner) == ["deploy fixed metrics.py"]
    switch(owner, str(folder), "off")
    assert did(owner) == ["deploy healthy  not the patient", "renew 64"]


def test_a_stack_made_for_it_begins_with_a_disk_that_has_room(make: Make) -> None:
    assert make(find(DISK).scenario).stack.scenario.storage.size_mib == 64


def test_where_no_disk_can_be_bounded_the_fault_is_refused_with_the_reason(make: Make) -> None:
    owner = make(refuses="no volume of bounded size: not allowed")
    assert owner.stack.scenario.storage.size_mib is None
    with pytest.raises(UsageError, match=f"^{DISK}: no volume of bounded size: not allowed$"):
        switch(owner, DISK, "on")
    switch(owner, QUIET, "on")
    assert owner.live is not None


def test_what_the_stack_lacks_is_told_with_the_remedy(make: Make) -> None:
    owner = make()
    did(owner)
    with pytest.raises(UsageError, match=f"^{PAST} needs a past, .*: lab down, then lab up {PAST}$"):
        switch(owner, PAST, "on")
    assert (did(owner), owner.live) == ([], None)


def test_one_that_does_not_come_up_is_live_and_can_be_turned_off(make: Make) -> None:
    owner = make()
    owner.stack.fails = "rag is not ready"  # type: ignore[attr-defined]
    with pytest.raises(StartError):
        switch(owner, QUIET, "on")
    assert owner.live is not None
    owner.stack.fails = ""  # type: ignore[attr-defined]
    switch(owner, QUIET, "off")
    assert owner.live is None
    label = f"{QUIET}:server_not_started"
    assert [(turn.what, turn.fault) for turn in owner.turns] == [("healthy", ""), ("broken", label), ("healthy", "")]


def test_a_deployment_that_the_servers_would_refuse_is_not_made(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make()
    did(owner)

    def refuse(_: Prepared, deployment: Deployment) -> None:
        raise UsageError(f"{deployment.what}: refused")

    monkeypatch.setattr(Prepared, "check", refuse)
    with pytest.raises(UsageError, match="broken: refused"):
        switch(owner, QUIET, "on")
    assert (did(owner), owner.live) == ([], None)


# Watching


def test_what_dies_is_brought_back_and_told(make: Make) -> None:
    owner = make()
    did(owner)
    owner.stack.dead = [("rag", -9, "signal 9"), ("observer", 2, "exit code 2")]  # type: ignore[attr-defined]
    owner.look()
    assert did(owner) == ["restart rag"]
    told = [one.what for one in owner.happened]
    assert told == ["rag ended: signal 9", "rag was started again", "observer ended: exit code 2"]


def test_one_that_can_not_be_brought_back_is_told(make: Make) -> None:
    owner = make()
    owner.stack.fails, owner.stack.dead = "no port", [("rag", 1, "exit code 1")]  # type: ignore[attr-defined]
    owner.look()
    assert owner.happened[-1].what == "rag could not be started again: no port"


def test_a_run_folder_that_is_gone_ends_no_stack(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make()

    def gone(*_: object) -> bool:
        raise FileNotFoundError(2, "No such file or directory", "/runs/x/logs/rag.log")

    monkeypatch.setattr(FakeStack, "restart", gone)
    owner.stack.dead = [("rag", 1, "exit code 1")]  # type: ignore[attr-defined]
    owner.look()
    assert "rag could not be started again: [Errno 2] No such file" in owner.happened[-1].what


@pytest.mark.parametrize("error", [ProcessLookupError(3, "No such process"), KeyError("alertmanager")], ids=repr)
def test_a_service_that_ends_while_a_fault_is_deployed_is_told_in_one_line(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    owner = make()

    def ends(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FakeStack, "deploy", ends)
    with pytest.raises(LabError, match=f"could not be deployed whole: {type(error).__name__}.*`lab status`"):
        switch(owner, QUIET, "on")
    assert owner.live is not None


def test_what_a_deployment_stops_has_not_died(make: Make) -> None:
    owner = make()
    stack: Any = owner.stack
    stack.goes_on.clear()
    deploying = threading.Thread(target=switch, args=(owner, QUIET, "on"))
    deploying.start()
    assert stack.entered.wait(5)
    stack.dead = [("rag", -15, "signal 15")]
    owner.look()
    assert "restart rag" not in stack.did
    stack.goes_on.set()
    deploying.join(5)


def test_an_engine_that_is_gone_is_told_once_and_the_owner_goes_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make()

    def gone(_: FakeStack) -> list[tuple[str, int, str]]:
        raise LabError("the engine is gone")

    monkeypatch.setattr(FakeStack, "ended", gone)
    owner.look()
    owner.look()
    assert [one.what for one in owner.happened] == ["the engine is gone"]


def test_traffic_that_ended_is_started_again(make: Make) -> None:
    owner = make()
    owner.traffic.dead = "the load generator ended with code 2"  # type: ignore[attr-defined]
    owner.look()
    assert owner.traffic.did[1:] == ["stop", "start 100 12"]  # type: ignore[attr-defined]
    assert "code 2" in owner.happened[-1].what


def test_traffic_that_never_flows_fails_the_start(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeWatcher, "serves", 0.0)
    monkeypatch.setattr(owning, "TRAFFIC_S", 0.0)
    with pytest.raises(LoadError, match="no traffic after"):
        make()
    nobody = general()
    make(replace(nobody, load=replace(nobody.load, users=0)))


def test_the_services_log_is_cut_and_the_last_part_kept(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owner, log = make(), tmp_path / "logs" / "rag.jsonl"
    monkeypatch.setattr(owning, "MOST_LOG_BYTES", 10)
    log.write_text("0123456789")
    owner.look()
    assert log.read_text() == "0123456789"
    with log.open("a") as service:
        service.write("x")
        service.flush()
        owner.look()
        service.write("next")
    assert log.read_text() == "next"
    assert (tmp_path / "logs" / "rag.1.jsonl").read_text() == "0123456789x"


# Stopping


def test_after_the_stop_nothing_is_deployed(make: Make) -> None:
    owner = make()
    did(owner)
    owner.stop()
    assert (did(owner), owner.traffic.did[-1]) == (["stop"], "stop")  # type: ignore[attr-defined]
    assert owner.watcher.stopped  # type: ignore[attr-defined]
    with pytest.raises(LabError, match="being stopped"):
        switch(owner, QUIET, "on")
    assert did(owner) == []


# Telling


def test_the_status_survives_its_way(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make()
    monkeypatch.setattr(seen, "alerts", lambda _: ((seen.AlertStatus("Down", "firing", "observer"),), ("prometheus",)))
    monkeypatch.setattr(seen, "notifications", lambda _: (seen.Told(1.0, "firing", "Down", "console", "it is"),))
    switch(owner, QUIET, "on")
    del owner.stack.running["prometheus"]
    owner.stack.running["observer"] = FakeRunning(2)  # type: ignore[assignment]
    status = owner.status()
    assert from_json(status.to_json()) == status
    assert [(s.name, s.up) for s in status.services] == [("rag", True), ("prometheus", False), ("observer", False)]
    assert status.fault is not None
    assert (status.fault.name, status.fault.what, status.fault.files) == (
        f"{QUIET}:server_not_started",
        "broken",
        ("metrics.py",),
    )
    assert (status.requests_per_s, status.speed, status.silent) == (300.0, 12, ("prometheus",))


def test_a_server_that_does_not_answer_is_no_server_without_alerts() -> None:
    class Nowhere:
        def address(self, _: str) -> str:
            return "127.0.0.1:1"

    assert seen.alerts(Nowhere()) == ((), ("prometheus", "observer"))  # type: ignore[arg-type]
