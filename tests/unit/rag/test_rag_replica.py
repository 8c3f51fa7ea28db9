"""A replica's page is what the deployment's own metrics would show after as many queries, without asking them."""

from __future__ import annotations

import threading
import urllib.request
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from lab.rag.deployment import load_metrics
from lab.rag.extrapolated import LEARNED, NEW_SHARE, TOKEN, Page
from lab.rag.metrics import Metrics
from lab.rag.replica import Replica, application, main

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
BROKEN, FIXED = (SCENARIOS / "cardinality" / what / "metrics.py" for what in ("broken", "fixed"))
EVERYTHING: frozenset[bytes] = frozenset()


def page(metrics: Path | None, series: int = 100_000, seed: int = 1) -> Page:
    return Page(load_metrics(metrics).new_metrics, series, seed)


def samples(blocks: list[bytes]) -> dict[tuple[str, Any], float]:
    text = b"".join(blocks).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_counter_with_a_label_for_the_text_gets_a_series_a_new_query() -> None:
    found = page(BROKEN)
    queries = 3 * LEARNED
    told = samples(found.grow(queries))
    assert len(told) == NEW_SHARE * queries
    texts = {dict(labels)["query_text"] for _, labels in told}
    assert len(texts) == len(told), "no two queries are the same"
    assert set(told.values()) == {1.0}


@pytest.mark.parametrize("metrics", [None, FIXED])
def test_a_deployment_without_such_a_label_gets_none(metrics: Path | None) -> None:
    assert page(metrics).grow(100_000) == []


def test_a_histogram_with_an_id_as_a_label_gets_all_its_series() -> None:
    class Leaking(Metrics):
        def record(self, query: Any) -> None:
            self.leak.labels(query.query_id).observe(1.0)

        def __init__(self, registry: CollectorRegistry) -> None:
            from prometheus_client import Histogram

            super().__init__(registry)
            self.leak = Histogram("leak", "Leaks.", ["id"], buckets=(1, 2), registry=registry)

    found = Page(Leaking, 10**6, 1)
    assert len(samples(found.grow(100))) == 100 * 5


def test_what_was_there_before_grows_in_proportion_and_stays_whole() -> None:
    found = page(BROKEN)
    asked = "rag_documents_retrieved_count"
    for queries in (0, 7, LEARNED, 12_345):
        assert samples([found.base(queries)])[asked, frozenset()] == queries
    counted = samples([page(FIXED).base(10_000)])
    by_status = {dict(labels)["cache_status"]: 0.0 for name, labels in counted if name == "rag_queries_total"}
    for (name, labels), value in counted.items():
        if name == "rag_queries_total":
            by_status[dict(labels)["cache_status"]] += value
    assert by_status == {"hit": 4000.0, "miss": 6000.0}


def test_a_page_never_shrinks_and_is_bounded() -> None:
    found = page(BROKEN, series=500)
    first = b"".join(found.grow(100))
    assert b"".join(found.grow(50)) == first
    assert b"".join(found.grow(10**6)).startswith(first)
    assert len(samples(found.grow(10**6))) == 500


def test_no_two_replicas_have_the_same_series() -> None:
    one, two = (set(TOKEN.findall(b"".join(page(BROKEN, seed=seed).grow(1000)))) for seed in (1, 2))
    assert one
    assert not one & two


def test_the_users_of_a_replica_begin_with_the_first_whole_scrape() -> None:
    replica = Replica(page(BROKEN), rate=100.0)
    few = replica.blocks(frozenset({b"rag_documents_retrieved_count"}), 1000.0)
    assert b"".join(few) == b"rag_documents_retrieved_count 0\n"
    replica.blocks(EVERYTHING, 2000.0)
    told = samples(replica.blocks(EVERYTHING, 2010.0))
    assert told["rag_documents_retrieved_count", frozenset()] == 1000
    assert sum(name == "rag_queries_total" for name, _ in told) > 600


def test_it_serves_its_page_and_says_that_it_is_ready() -> None:
    server = make_server("127.0.0.1", 0, application(Replica(page(BROKEN), rate=1.0)))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        told = [
            _get(server.server_port, path) for path in ("/-/ready", "/metrics", "/metrics?name[]=rag_tokens_used_sum")
        ]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert told[0] == "ready\n"
    assert "rag_queries_total" in told[1]
    assert {line.partition("{")[0] for line in told[2].splitlines()} == {"rag_tokens_used_sum"}


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_metrics_that_do_not_load_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "metrics.py"
    wrong.write_text("import nowhere\n")
    assert main(["--port", "1", "--series", "1", "--series-per-s", "1", "--metrics", str(wrong)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
