"""A deployment may replace the metrics by a short file: that is what the lessons break and fix."""

from pathlib import Path

import pytest

from lab.rag import metrics
from lab.rag.deployment import load_metrics, start_metrics
from lab.rag.errors import ConfigError

UNBOUNDED = '''
"""Counts queries by user and text."""

from prometheus_client import Counter

from lab.rag import metrics


class Metrics(metrics.Metrics):
    def declare_queries(self):
        labels = ["cache_status", "model", "status", "user_id", "query_text"]
        return Counter("rag_queries", "Queries answered.", labels, registry=self.registry)

    def count_query(self, query):
        labels = (query.cache_status, query.model, query.status, query.user_id, query.query_text)
        self.queries.labels(*labels).inc()
'''

LEAKING = """
from prometheus_client import Histogram

from lab.rag import metrics


class Metrics(metrics.Metrics):
    def declare_durations(self):
        return Histogram(
            "rag_query_duration_seconds", "Time to answer a query.", ["endpoint", "cache_status", "timestamp"],
            buckets=metrics.DURATION_BUCKETS, registry=self.registry,
        )

    def observe_duration(self, query):
        labels = (query.endpoint, query.cache_status, str(query.timestamp))
        self.durations.labels(*labels).observe(query.duration_s)
"""

SILENT_SERVER = """
def serve(registry, host, port):
    pass
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "metrics.py"
    path.write_text(text)
    return path


def test_without_a_file_the_shipped_metrics_are_used():
    module = load_metrics(None)
    assert (module.new_metrics, module.serve) == (metrics.Metrics, metrics.serve)


def test_labels_of_a_replaced_counter_grow_with_the_traffic(tmp_path, start):
    module = load_metrics(write(tmp_path, UNBOUNDED))
    assert module.serve is metrics.serve
    seen = start(metrics_type=module.new_metrics)
    for number in range(3):
        seen.client.post("/query", json={"query": f"text {number}", "user_id": f"user-{number}"})
    texts = {
        sample.labels["query_text"]
        for family in seen.registry.collect()
        for sample in family.samples
        if sample.name == "rag_queries_total"
    }
    assert texts == {"text 0", "text 1", "text 2"}
    assert seen.total("rag_query_duration_seconds_count") == 3  # the rest of the contract is still there


def test_a_replaced_histogram_gets_a_child_for_each_query(tmp_path, start):
    seen = start(metrics_type=load_metrics(write(tmp_path, LEAKING)).new_metrics)
    for _ in range(3):
        seen.ask()
    counts = [
        sample
        for family in seen.registry.collect()
        for sample in family.samples
        if sample.name == "rag_query_duration_seconds_count"
    ]
    assert len(counts) == 3
    assert seen.total("rag_queries_total") == 3


def test_a_file_may_replace_the_server_alone(tmp_path):
    module = load_metrics(write(tmp_path, SILENT_SERVER))
    assert module.new_metrics is metrics.Metrics
    assert module.serve is not metrics.serve


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def Metrics(:", "SyntaxError"),
        ("import no_such_module_at_all", "no_such_module_at_all"),
        ("x = 1", "defines neither Metrics nor serve"),
        ("class Metrics:\n    def __init__(self, registry): pass", "lacks record, count_error, watch"),
        (
            "class Metrics:\n    def __init__(self, registry): raise RuntimeError('two\\nlines')",
            "RuntimeError: two lines",
        ),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        start_metrics(load_metrics(path), path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.py: No such file"):
        load_metrics(tmp_path / "gone.py")
