"""Five common queries that are wrong, and the right ones, on a real Prometheus over two real services.

The busy service answers popular questions from its cache, and quickly; the quiet one is asked a few new ones and is
slow. What is true is known from the answers that were received.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from rules_stack import Services, binary, services
from waiting import until

from lab.errors import LabError
from lab.prom import ApiError, Prometheus
from lab.runtime.protocol import VolumeSpec
from lab.services import prometheus, rag

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

BUSY, QUIET = "busy", "quiet"
ASKED = {BUSY: 97, QUIET: 3}
"""Not five of a hundred: the 95th percentile would be on the edge between the two."""
LATENCY_MS = {BUSY: "20", QUIET: "1200"}
CONFIG = """
scrape_configs:
  - job_name: rag
    scrape_interval: 1s
    static_configs:
      - targets: ["busy:8001", "quiet:8001"]
"""


@dataclass(frozen=True)
class Truth:
    """A Prometheus, and what the clients of the services saw."""

    server: Prometheus
    hits: int
    tokens: int
    cost_usd: float
    latencies_s: tuple[float, ...]

    def p95_s(self) -> float:
        return sorted(self.latencies_s)[int(0.95 * (len(self.latencies_s) - 1))]

    def value(self, expr: str) -> float:
        (point,) = self.server.query(expr)
        return point.value


def start(stack: Services, folder: Path) -> Prometheus:
    """Two services that nobody has asked yet, scraped twice: rates begin at the second sample."""
    for job in ASKED:
        spec = rag.spec(
            stack.address(job), stack.address(job, rag.METRICS_PORT),
            log=folder / f"{job}.jsonl", seed=1, options={"llm_latency_ms": LATENCY_MS[job]}, metrics=None,
        )  # fmt: skip
        stack.start(replace(spec, name=job))
    addresses = {f"{job}:8001": stack.address(job, rag.METRICS_PORT) for job in ASKED}
    program, volume = binary("prometheus"), VolumeSpec("prometheus-data")
    path = prometheus.write_config(folder / "prometheus", CONFIG, {}, program, 1, addresses)
    data, listen = stack.runtime.data_dir(volume), stack.address("prometheus")
    stack.start(prometheus.spec("prometheus", program, path, data, volume, listen, 1))
    server = Prometheus(listen)
    until(
        lambda: seen(server, "count(count_over_time(rag_service_info[5m]) >= 2)", 2), 60, "two scrapes of both services"
    )
    return server


def seen(server: Prometheus, expr: str, value: float) -> bool:
    try:
        return server.number(expr) == value
    except LabError:
        return False


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    folder = tmp_path_factory.mktemp("naive")
    with pytest.MonkeyPatch.context() as patch, services(folder, patch) as stack:
        server = start(stack, folder)
        answers = [ask(stack, job, number) for job, count in ASKED.items() for number in range(count)]
        until(lambda: seen(server, "sum(rag_queries_total)", sum(ASKED.values())), 60, "the counters are scraped")
        yield Truth(
            server,
            hits=sum(answer["cached"] for answer in answers),
            tokens=sum(sum(answer["tokens"].values()) for answer in answers),
            cost_usd=sum(answer["cost_usd"] for answer in answers),
            latencies_s=tuple(answer["latency_ms"] / 1000 for answer in answers),
        )


def ask(stack: Services, job: str, number: int) -> dict[str, float]:
    """The busy service hears ten questions again and again, the quiet one something new each time."""
    question = f"What is the state of host {job}-{number % 10}?"
    url = f"http://{stack.address(job)}/query"
    answer = httpx.post(url, json={"query": question, "user_id": "user-1"}, timeout=10, trust_env=False)
    found = answer.raise_for_status().json()
    assert isinstance(found, dict)
    return found


def test_by_after_rate_does_not_parse(truth: Truth):
    with pytest.raises(ApiError, match=r"bad_data: .*parse error: unexpected <by>"):
        truth.server.query("rate(rag_queries_total[5m]) by (model)")
    rate = "rate(rag_queries_total[5m])"
    both = truth.server.query(f'sum by (model) ({rate}) or label_replace(sum({rate}), "model", "whole", "", "")')
    right = {p.labels["model"]: p.value for p in both}  # at one moment
    whole = right.pop("whole")
    assert set(right) == {"gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "cached"}
    assert sum(right.values()) == pytest.approx(whole)


def test_a_histogram_has_no_series_of_its_base_name(truth: Truth):
    assert truth.server.query("rag_tokens_used") == []
    assert truth.server.query("sum(rate(rag_tokens_used[5m]))") == []
    assert truth.value("sum(rag_tokens_used_sum)") == truth.tokens
    assert truth.value("sum(rate(rag_tokens_used_sum[5m]))") > 0


def test_a_quantile_of_several_instances_needs_sum_by_le(truth: Truth):
    naive = truth.server.query("histogram_quantile(0.95, rate(rag_query_duration_seconds_bucket[5m]))")
    assert len(naive) == 4, "one of each instance and cache status instead of one"
    quantiles = [p.value for p in naive if p.value == p.value]
    right = truth.value("histogram_quantile(0.95, sum by (le) (rate(rag_query_duration_seconds_bucket[5m])))")
    assert bucket(right) == bucket(truth.p95_s())
    assert bucket(max(quantiles)) != bucket(truth.p95_s()), "the slow instance is three queries of a hundred"
    assert bucket(sum(quantiles) / len(quantiles)) != bucket(truth.p95_s()), "and a mean of quantiles is no quantile"
    without_le = truth.server.query("histogram_quantile(0.95, sum(rate(rag_query_duration_seconds_bucket[5m])))")
    assert without_le == []


def bucket(seconds: float) -> int:
    """Which bucket of the duration's histogram a value is in: a quantile is no more precise."""
    return sum(seconds > edge for edge in (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 5, 10))


def test_an_averaged_hit_rate_lies(truth: Truth):
    true = truth.hits / sum(ASKED.values())
    assert true > 0.8
    naive = truth.value("avg(rag_cache_hit_rate)")
    assert naive < 0.5, "the three queries of the quiet service weigh as much as the ninety-seven of the busy one"
    hits = 'sum(rate(rag_queries_total{cache_status="hit"}[5m]))'
    right = truth.value(f"{hits} / sum(rate(rag_queries_total[5m]))")
    assert right == pytest.approx(true, rel=0.02)


def test_a_counter_ends_in_total_whatever_it_is_called_in_the_code(truth: Truth):
    assert truth.server.query("rag_total_cost_usd") == []
    assert truth.server.query("rate(rag_total_cost_usd[5m]) * 3600") == []
    assert truth.value("sum(rag_total_cost_usd_total)") == pytest.approx(truth.cost_usd, rel=1e-6)
    assert truth.value("sum(rate(rag_total_cost_usd_total[5m])) * 3600") > 0
