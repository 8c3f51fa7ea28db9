"""Liveness, readiness, and the manifests that use them."""

import asyncio
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from lab.rag.probes import Readiness
from lab.rag.settings import parse

MANIFESTS = Path(__file__).parents[3] / "compose" / "kubernetes"


async def well() -> None:
    pass


async def hung() -> None:
    await asyncio.Event().wait()


def test_a_healthy_service_is_ready(start):
    answer = start().client.get("/ready")
    assert answer.status_code == 200
    assert {name: status["ok"] for name, status in answer.json()["dependencies"].items()} == {
        "vector_index": True,
        "llm": True,
    }
    assert all(status["latency_ms"] >= 0 for status in answer.json()["dependencies"].values())


def test_a_model_that_is_down_is_named(start):
    seen = start()
    seen.turn(error_rate=1)
    answer = seen.client.get("/ready")
    assert answer.status_code == 503
    dependencies = answer.json()["dependencies"]
    assert [name for name, status in dependencies.items() if not status["ok"]] == ["llm"]
    assert dependencies["llm"]["error"]
    assert seen.client.get("/health").status_code == 200


@pytest.mark.parametrize("content", [None, "", "not json\n", '{"id": "a"}\n'])
def test_a_missing_index_is_named_and_queries_fail_cleanly(start, tmp_path, content):
    path = tmp_path / "corpus.jsonl"
    if content is not None:
        path.write_text(content)
    seen = start(corpus=path)
    answer = seen.client.get("/ready")
    assert answer.status_code == 503
    dependencies = answer.json()["dependencies"]
    assert [name for name, status in dependencies.items() if not status["ok"]] == ["vector_index"]
    assert str(path) in dependencies["vector_index"]["error"]
    assert seen.client.get("/health").status_code == 200
    assert seen.ask().status_code == 503
    assert seen.sample("rag_errors_total", error_type="index_missing", component="retrieval") == 1


def test_a_dependency_that_hangs_is_given_up_at_its_deadline():
    statuses = asyncio.run(Readiness({"a": well, "b": hung}, timeout_s=0.05).check())
    assert statuses["a"].ok
    assert not statuses["b"].ok
    assert statuses["b"].error == "no answer within 50 ms"


def test_dependencies_are_asked_at_the_same_time():
    """Each answers only once the other has been asked: one after another, both would miss their deadline."""

    async def check():
        asked = {"a": asyncio.Event(), "b": asyncio.Event()}

        async def ping(own: str, other: str) -> None:
            asked[own].set()
            await asked[other].wait()

        pings = {"a": lambda: ping("a", "b"), "b": lambda: ping("b", "a")}
        return await Readiness(pings, timeout_s=5).check()

    assert all(status.ok for status in asyncio.run(check()).values())


def manifest(name: str):
    return yaml.safe_load((MANIFESTS / name).read_text())


@pytest.mark.parametrize("name", ["deployment.yaml", "service.yaml"])
@pytest.mark.parametrize("version", ["1.28", "1.33"])
def test_manifests_follow_the_schema_of_kubernetes(name, version):
    kubernetes_validate.validate(manifest(name), version, strict=True)


def test_the_schema_check_can_fail():
    broken = manifest("deployment.yaml")
    broken["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["periodSecond"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.33", strict=True)


def container():
    (only,) = manifest("deployment.yaml")["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize(
    ("probe", "path"), [("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")]
)
def test_probes_ask_pages_that_the_service_has(start, probe, path):
    asked = container()[probe]["httpGet"]
    assert asked["path"] == path
    assert start().client.get(asked["path"]).status_code == 200
    assert asked["port"] in {port["name"] for port in container()["ports"]}


def test_the_readiness_probe_is_more_patient_than_the_checks_behind_it():
    deadline_s = parse([], {}).ready_timeout_ms / 1000
    assert container()["readinessProbe"]["timeoutSeconds"] > deadline_s


def test_the_manifest_starts_the_service_on_the_ports_it_names():
    environ = {entry["name"]: entry["value"] for entry in container()["env"] if "value" in entry}
    settings = parse(container()["args"], environ)
    ports = {port["name"]: port["containerPort"] for port in container()["ports"]}
    assert (settings.port, settings.metrics_port) == (ports["http"], ports["metrics"])
    assert settings.host == "0.0.0.0"


def test_the_container_has_no_rights_that_it_does_not_need():
    pod = manifest("deployment.yaml")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_service_selects_the_pods_of_the_deployment():
    service, deployment = manifest("service.yaml"), manifest("deployment.yaml")
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    names = {port["name"] for port in container()["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == names
