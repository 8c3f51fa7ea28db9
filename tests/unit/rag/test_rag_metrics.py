"""The metrics are a contract: dashboards, rules and lessons rely on names, labels and buckets."""

import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from lab.rag.local import free_ports
from lab.rag.metrics import Metrics, new_registry, serve

CONTRACT = {
    "rag_queries": ("counter", ["cache_status", "model", "status"], None),
    "rag_query_duration_seconds": (
        "histogram",
        ["cache_status", "endpoint"],
        [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 5, 10],
    ),
    "rag_tokens_used": (
        "histogram",
        ["model", "token_type"],
        [50, 100, 250, 500, 1000, 2000, 5000, 10000],
    ),
    "rag_cost_per_query_usd": ("histogram", ["model"], [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1]),
    "rag_total_cost_usd": ("counter", ["model"], None),
    "rag_cache_hit_rate": ("gauge", ["cache_type"], None),
    "rag_cache_size_entries": ("gauge", ["cache_type"], None),
    "rag_vector_search_duration_seconds": ("histogram", [], [0.001, 0.01, 0.05, 0.1, 0.5, 1]),
    "rag_documents_retrieved": ("histogram", [], [1, 3, 5, 10, 20, 50]),
    "rag_relevance_score": ("histogram", [], [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]),
    "rag_response_quality_score": (
        "histogram",
        [],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    ),
    "rag_errors": ("counter", ["component", "error_type"], None),
    "rag_rate_limit_remaining": ("gauge", ["provider"], None),
    "rag_queue_depth": ("gauge", ["queue"], None),
    "rag_service": ("info", ["service", "version"], None),
}


def families(registry: CollectorRegistry):
    return {family.name: family for family in registry.collect() if family.name.startswith("rag_")}


def test_names_types_labels_and_buckets_are_those_of_the_contract(start):
    seen = start()
    found = families(seen.registry)
    assert found.keys() == CONTRACT.keys()
    for name, (kind, labels, buckets) in CONTRACT.items():
        family = found[name]
        assert family.type == kind, name
        assert family.samples, f"{name} has no series before the first query"
        for sample in family.samples:
            assert sorted(sample.labels.keys() - {"le"}) == labels, name
        if buckets:
            borders = {s.labels["le"] for s in family.samples if s.name.endswith("_bucket")}
            assert sorted(map(float, borders)) == [*buckets, float("inf")], name


def test_no_series_is_born_with_the_first_query(start):
    seen = start(llm_error_rate=0.0)

    def series():
        return {(s.name, tuple(sorted(s.labels.items()))) for f in families(seen.registry).values() for s in f.samples}

    before = series()
    assert seen.ask().status_code == 200
    assert seen.ask().json()["cached"] is True
    seen.turn(error_rate=1)
    assert seen.ask("something else").status_code == 502
    seen.turn(error_rate=0, quota=0)
    assert seen.ask("yet another").status_code == 429
    assert series() == before


def test_no_created_series(start):
    names = {sample.name for family in start().registry.collect() for sample in family.samples}
    assert not [name for name in names if name.endswith("_created")]


def test_a_query_is_counted_with_its_duration_tokens_and_cost(start):
    seen = start()
    answer = seen.ask().json()
    model = answer["model"]
    labels = {"cache_status": "miss", "model": model, "status": "success"}
    assert seen.sample("rag_queries_total", **labels) == 1
    assert seen.total("rag_queries_total") == 1
    assert seen.sample("rag_query_duration_seconds_count", endpoint="/query", cache_status="miss") == 1
    assert seen.sample("rag_tokens_used_sum", model=model, token_type="input") == answer["tokens"]["input"]
    assert seen.sample("rag_tokens_used_sum", model=model, token_type="output") == answer["tokens"]["output"]
    assert seen.sample("rag_documents_retrieved_sum") == len(answer["documents"])
    assert seen.sample("rag_relevance_score_sum") == answer["documents"][0]["relevance"]
    assert seen.sample("rag_response_quality_score_sum") == pytest.approx(answer["quality"], abs=1e-4)
    assert seen.sample("rag_vector_search_duration_seconds_count") == 1


def test_total_cost_is_the_sum_of_the_costs_of_queries(start):
    seen = start(cost_scale=1.0)
    costs = [seen.ask(f"question number {number}").json()["cost_usd"] for number in range(30)]
    assert sum(costs) > 0
    assert seen.total("rag_total_cost_usd_total") == pytest.approx(sum(costs))
    assert seen.total("rag_cost_per_query_usd_sum") == pytest.approx(sum(costs))


def test_a_hit_is_counted_as_cached_and_costs_nothing(start):
    seen = start()
    first, second = seen.ask().json(), seen.ask().json()
    spent = seen.total("rag_total_cost_usd_total")
    assert (second["cached"], second["model"], second["cost_usd"]) == (True, "cached", 0)
    assert second["answer"] == first["answer"]
    assert second["documents"] == first["documents"]
    assert spent == pytest.approx(first["cost_usd"])
    assert seen.sample("rag_queries_total", cache_status="hit", model="cached", status="success") == 1
    assert seen.sample("rag_cache_hit_rate", cache_type="memory") == 0.5
    assert seen.sample("rag_cache_size_entries", cache_type="memory") == 1


def test_a_failed_query_is_counted_once_with_its_duration(start):
    seen = start(llm_error_rate=1.0)
    assert seen.ask().status_code == 502
    assert seen.total("rag_queries_total", status="error") == 1
    assert seen.total("rag_queries_total") == 1
    assert seen.sample("rag_errors_total", error_type="model_error", component="llm") == 1
    assert seen.total("rag_errors_total") == 1
    assert seen.sample("rag_query_duration_seconds_count", endpoint="/query", cache_status="miss") == 1
    assert seen.sample("rag_response_quality_score_count") == 0


def test_an_exhausted_quota_is_a_rate_limit_error_and_the_gauge_says_so(start):
    seen = start(quota_per_minute=2)
    assert seen.sample("rag_rate_limit_remaining", provider="mock-openai") == 2
    statuses = [seen.ask(f"question {number}").status_code for number in range(3)]
    assert statuses == [200, 200, 429]
    assert seen.sample("rag_rate_limit_remaining", provider="mock-openai") == 0
    assert seen.sample("rag_errors_total", error_type="rate_limit", component="llm") == 1
    assert int(seen.ask("question 4").headers["retry-after"]) in range(1, 61)


def test_healthy_answers_have_a_quality_above_the_alert(start):
    seen = start()
    for number in range(200):
        seen.ask(f"how do I restart host {number}")
    count, total = (seen.sample(f"rag_response_quality_score_{part}") for part in ("count", "sum"))
    assert count == 200
    assert total / count >= 0.8


@pytest.fixture
def served():
    registry = new_registry()
    Metrics(registry)
    (port,) = free_ports(1)
    serve(registry, "127.0.0.1", port)
    return f"http://127.0.0.1:{port}/metrics"


def fetch(url: str, **headers: str):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.read().decode(), answer.headers


def test_the_server_answers_only_what_is_asked_by_name(served):
    body, _ = fetch(served + "?name[]=rag_queries_total&name[]=process_resident_memory_bytes")
    names = {line.split("{")[0].split(" ")[0] for line in body.splitlines() if not line.startswith("#")}
    assert names == {"rag_queries_total", "process_resident_memory_bytes"}


def test_the_server_exposes_the_process_and_does_not_compress(served):
    body, headers = fetch(served, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] is None
    assert "process_resident_memory_bytes" in body
    assert "python_gc_collections_total" in body


def test_a_taken_port_is_an_os_error(served):
    port = int(served.rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(OSError, match="in use"):
        serve(new_registry(), "127.0.0.1", port)
