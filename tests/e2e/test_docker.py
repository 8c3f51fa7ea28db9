"""A run in containers: what they may do, what is left however it ends, and what an engine that goes away means."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import engine, environment, of_run, way
from lab_run import LAB, hears_ctrl_c, journal_says
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


@pytest.fixture
def docker() -> Iterator[Any]:
    found = engine()
    yield found
    found.close()


class Live:
    """A run in containers in the background, past the start of its traffic."""

    def __init__(self, tmp: Path, scenario: str = "missing_metrics", **env: str) -> None:
        self.tmp = tmp
        self.env = environment(tmp, **env)
        self.process = subprocess.Popen(
            [*LAB, "run", scenario, "--runtime", "docker", "--out", str(tmp / "runs"), "--json", str(tmp / "o.json")],
            stderr=subprocess.PIPE, text=True, env=self.env, preexec_fn=hears_ctrl_c,
        )  # fmt: skip
        flows = journal_says(tmp, '"requests_per_s"')
        until(lambda: flows() or self.process.poll() is not None, 90, "traffic flows")
        assert self.process.poll() is None, self.process.communicate()[1]
        entry = next((tmp / "state").glob("*.json"))
        self.run_id = str(json.loads(entry.read_text())["run_id"])

    def lab(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*LAB, *args], capture_output=True, text=True, timeout=90, env=self.env, check=False)

    def entries(self) -> list[Path]:
        return list((self.tmp / "state").glob(f"{self.run_id}*"))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.kill()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.lab("clean")


@pytest.fixture
def live(tmp_path: Path, docker: Any) -> Iterator[Live]:
    run = Live(tmp_path, "cardinality")
    yield run
    run.end()


def test_containers_may_do_no_more_than_they_need(live: Live, docker: Any) -> None:
    containers = docker.containers.list(filters={"label": f"lab.run={live.run_id}"})
    services = {c.labels["lab.service"] for c in containers if "lab.service" in c.labels}
    assert services == {"rag", "prometheus", "observer", "alertmanager", "receiver", "host", "load"}
    for container in containers:
        about, name = container.attrs["HostConfig"], container.name
        assert container.attrs["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert about["ReadonlyRootfs"], name
        assert about["CapDrop"] == ["ALL"], name
        assert not about["CapAdd"], name
        assert not about["Privileged"], name
        assert "no-new-privileges" in about["SecurityOpt"], name
        assert about["Memory"] > 0, name
        assert about["MemorySwap"] == about["Memory"], name
        assert about["PidsLimit"] > 0, name
        assert not any("docker.sock" in bind for bind in about["Binds"] or ()), name
        published = [p for ports in (about["PortBindings"] or {}).values() for p in ports]
        assert all(p["HostIp"] == "127.0.0.1" for p in published), name
        assert container.labels["lab.version"], name
    disk = docker.volumes.list(filters={"label": f"lab.run={live.run_id}"})
    assert [v.attrs["Options"]["type"] for v in disk] == ["tmpfs"]
    assert disk[0].attrs["Options"]["o"].startswith("size=1638k")


@pytest.fixture
def stranger(docker: Any) -> Iterator[Any]:
    """A container whose name begins like ours, and which is not ours."""
    from lab.images import choose

    image = choose(docker)["rag"].id
    container = docker.containers.create(
        image, entrypoint=["sleep"], command=["600"], name="lab-cardinality-stranger", labels={"lab.version": "0"}
    )
    container.start()
    yield container
    container.remove(force=True)


def test_kill_9_then_any_command(live: Live, docker: Any, stranger: Any) -> None:
    assert len(of_run(docker, live.run_id)) >= 10
    live.kill()
    assert len(of_run(docker, live.run_id)) >= 10
    assert live.lab("doctor").returncode in (0, 3)
    assert of_run(docker, live.run_id) == []
    assert live.entries() == []
    stranger.reload()
    assert stranger.status == "running"


def test_an_engine_that_goes_away_is_no_verdict_and_what_is_left_goes_when_it_is_back(
    tmp_path: Path, docker: Any
) -> None:
    with way(tmp_path) as engine_way:
        run = Live(tmp_path, DOCKER_HOST=engine_way.address)
        try:
            engine_way.cut()
            _, told = run.process.communicate(timeout=90)
            assert run.process.returncode == 3, told[-3000:]
            assert "the Docker engine is gone" in told
            assert json.loads((tmp_path / "o.json").read_text())["verdict"] == "inconclusive"
            assert of_run(docker, run.run_id) != []
            run.lab("list")  # still no engine: nothing is forgotten
            assert run.entries() != []
            engine_way.open()
            run.lab("doctor")
            assert of_run(docker, run.run_id) == []
            assert run.entries() == []
        finally:
            run.kill()
            if not engine_way.path.exists():
                engine_way.open()
            subprocess.run([*LAB, "clean"], env=environment(tmp_path), check=False, capture_output=True, timeout=90)


def test_without_images_docker_says_what_to_do(tmp_path: Path, docker: Any) -> None:
    done = subprocess.run(
        [*LAB, "run", "missing_metrics", "--runtime", "docker", "--out", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
        env=environment(tmp_path, LAB_PROMETHEUS_IMAGE="no-such-image:1"),
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.strip().splitlines()[-1].startswith("lab: no image no-such-image:1; `lab install --images`")


def test_without_an_engine_docker_is_refused_and_auto_runs_natively(tmp_path: Path) -> None:
    env = environment(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/no.sock", LAB_RUNTIME="")
    refused = subprocess.run(
        [*LAB, "run", "missing_metrics", "--runtime", "docker", "--out", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, env=env,
    )  # fmt: skip
    assert refused.returncode == 3
    assert "no Docker engine answers" in refused.stderr
    dry = subprocess.run(
        [*LAB, "run", "missing_metrics", "--runtime", "auto", "--dry-run"],
        capture_output=True, text=True, timeout=60, check=False, env=env,
    )  # fmt: skip
    assert dry.returncode == 0, dry.stderr
    assert "native" in dry.stdout
