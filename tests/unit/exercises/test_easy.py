"""The dashboard: right expressions in their usual spellings pass, and each usual mistake is told by its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.exercises import easy
from lab.exercises.answers import AnswerError
from lab.exercises.catalog import folder
from lab.exercises.panels import queries
from lab.exercises.points import Point
from lab.exercises.promtool import PromtoolMissingError
from lab.paths import compose_dir
from lab.scenario import Result

EASY = folder() / "easy"
CONFIG = (EASY / "reference" / "prometheus.yml").read_text(encoding="utf-8")
RATE = "sum(rate(rag_queries_total[5m]))"
P95 = "histogram_quantile(0.95, sum by (le) (rate(rag_query_duration_seconds_bucket[5m])))"
HITS = 'sum(rate(rag_queries_total{cache_status="hit"}[5m]))'


def of_job(expr: str, job: str) -> str:
    return expr.replace("total", f'total{{job="{job}"}}').replace("}{", ",")


def judged(tmp_path: Path, dashboard: str, config: str = CONFIG) -> dict[str, Point]:
    (tmp_path / "dashboard.json").write_text(dashboard, encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(config, encoding="utf-8")
    return {point.name: point for point in easy.judge(tmp_path)}


def panel(title: str, expr: str, unit: str) -> dict[str, object]:
    return {"title": title, "fieldConfig": {"defaults": {"unit": unit}}, "targets": [{"expr": expr}]}


def point(tmp_path: Path, title: str, expr: str, unit: str, variables: dict[str, str] | None = None) -> Point:
    names = {"Query rate": "query rate", "Latency p95": "p95 latency", "Cache hit ratio": "cache hit ratio"}
    known = [{"name": name, "current": {"value": value}} for name, value in (variables or {}).items()]
    document = {"panels": [panel(title, expr, unit)], "templating": {"list": known}}
    return judged(tmp_path, json.dumps(document))[names[title]]


def test_the_reference_passes() -> None:
    assert {point.result for point in easy.judge(EASY / "reference")} == {Result.PASS}


@pytest.mark.parametrize("answer", ["wrong", "starter"])
def test_the_wrong_answer_and_the_starter_fail_every_point_with_a_hint(answer: str) -> None:
    points = easy.judge(EASY / answer)
    assert {point.result for point in points} == {Result.FAIL}
    assert all(point.hint and "\n" not in point.hint for point in points)


def test_the_lab_s_own_dashboard_passes_but_for_a_line_a_status(tmp_path: Path) -> None:
    dashboard = (compose_dir() / "grafana/dashboards/service.json").read_text(encoding="utf-8")
    config = (compose_dir() / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    points = judged(tmp_path, dashboard, config)
    assert [name for name, point in points.items() if point.result is not Result.PASS] == ["query rate"]
    assert "without status" in points["query rate"].hint


@pytest.mark.parametrize(
    ("title", "expr", "unit"),
    [
        ("Query rate", RATE, "reqps"),
        ("Query rate", "(sum by (job) (rate(rag_queries_total{job='rag'}[1m])))", "ops"),
        ("Query rate", "sum(rate(rag_queries_total[$__rate_interval]))", "reqps"),
        ("Query rate", "sum(rate(rag_queries_total[${window}]))", "reqps"),
        ("Query rate", RATE.replace("5m", "15m"), "reqps"),
        ("Query rate", RATE.replace("sum", "sum by ()"), "reqps"),
        ("Latency p95", P95, "s"),
        ("Latency p95", P95.replace("bucket", 'bucket{job="rag"}'), "s"),
        ("Cache hit ratio", f"{of_job(HITS, 'rag')} / {of_job(RATE, 'rag')}", "percentunit"),
        ("Latency p95", P95.replace("le)", "job, le)"), "s"),
        ("Cache hit ratio", f"{HITS} / {RATE}", "percentunit"),
        ("Cache hit ratio", f"({HITS}) / ({RATE})", "percentunit"),
    ],
)
def test_right_expressions(tmp_path: Path, title: str, expr: str, unit: str) -> None:
    assert point(tmp_path, title, expr, unit, {"window": "5m"}).result is Result.PASS


@pytest.mark.parametrize(
    ("title", "expr", "hint"),
    [
        ("Query rate", "rag_queries_total", "sum() over"),
        ("Query rate", "rate(rag_queries_total[5m])", "sum() over"),
        ("Query rate", "sum(rag_queries_total)", "take rate()"),
        ("Query rate", "rate(sum(rag_queries_total)[5m:])", "rate() first"),
        ("Query rate", "sum(rate(rag_queries_total[15s]))", "too few scrapes"),
        ("Query rate", "sum(rate(rag_queries_total[$window]))", "too few scrapes"),
        ("Query rate", "sum(rate(rag_queries[5m]))", "the counter is rag_queries_total"),
        ("Query rate", 'sum(rate(rag_queries_total{status="success"}[5m]))', "leave the matchers away"),
        ("Query rate", "sum(rate(rag_queries_total[5m]", "does not parse"),
        ("Query rate", RATE.replace("5m", "24h"), "a window of 1d hides"),
        ("Query rate", RATE.replace("5m", "16m"), "take 15m or less"),
        ("Query rate", RATE.replace("sum", "sum by (status, model)"), "without model, status"),
        ("Query rate", RATE.replace("sum", "sum without (instance)"), "`without` keeps"),
        ("Query rate", RATE.replace("]", "] offset 1h"), "leave `offset`"),
        ("Query rate", RATE.replace("]", "] @ end()"), "leave `offset`"),
        ("Query rate", of_job(RATE, "other"), 'the service is the job "rag"'),
        ("Query rate", RATE.replace("total", 'total{job=~"rag"}'), 'the service is the job "rag"'),
        ("Latency p95", P95.replace("5m", "30d"), "take 15m or less"),
        ("Latency p95", P95.replace("]", "] offset -1d"), "leave `offset`"),
        ("Latency p95", P95.replace("bucket", 'bucket{job!="rag"}'), 'the service is the job "rag"'),
        ("Cache hit ratio", f"{HITS} / {RATE}".replace("sum", "sum by (instance)"), "without instance"),
        ("Cache hit ratio", f"{HITS} / {RATE}".replace("sum", "sum without (instance)"), "`without` keeps"),
        ("Cache hit ratio", f"{HITS} / {RATE}".replace("5m", "24h"), "take 15m or less"),
        ("Cache hit ratio", f"{HITS.replace(']', '] offset 1d')} / {RATE}", "leave `offset`"),
        ("Cache hit ratio", f"{HITS} / {RATE.replace(']', '] @ start()')}", "leave `offset`"),
        ("Cache hit ratio", f"{of_job(HITS, 'a')} / {of_job(RATE, 'b')}",
         'the service is the job "rag"'),
        ("Cache hit ratio", f"{of_job(HITS, 'rag')} / {RATE}", "both sides need the same service"),
        ("Cache hit ratio", f"{HITS} / {of_job(RATE, 'rag')}", "both sides need the same service"),
        ("Latency p95", P95.replace("0.95", "0.5"), "quantile 0.95"),
        ("Latency p95", P95.replace("0.95", "95"), "quantile 0.95"),
        ("Latency p95", f"avg({P95})", "averages of quantiles"),
        ("Latency p95", P95.replace("sum by (le) ", ""), "buckets of all instances"),
        ("Latency p95", P95.replace("by (le)", "by (job)"), "by (le)"),
        ("Latency p95", P95.replace("by (le)", ""), "by (le)"),
        ("Latency p95", P95.replace("(le)", "(le, cache_status)"), "without cache_status"),
        ("Latency p95", P95.replace("rate(rag_query_duration_seconds_bucket[5m])", "rag_query_duration_seconds_bucket"),
         "take rate()"),
        ("Cache hit ratio", "rag_cache_hit_rate", "the gauge counts since"),
        ("Cache hit ratio", f"{HITS} / {HITS.replace('hit', 'miss')}", "misses"),
        ("Cache hit ratio", f"{RATE} / {RATE}", "above the line"),
        ("Cache hit ratio", f"{HITS} / {RATE.replace('5m', '1h')}", "same window"),
        ("Cache hit ratio", f"{HITS.replace('sum', 'sum by (job)')} / {RATE}", "same labels"),
        ("Cache hit ratio", f"{HITS} / {RATE}".replace("sum", "sum by (cache_status)"), "not by cache_status"),
        ("Cache hit ratio", f"{HITS[4:-1]} / {RATE[4:-1]}", "add first"),
        ("Cache hit ratio", "sum(rag_queries_total) / sum(rag_queries_total)", "take rate()"),
    ],
)  # fmt: skip
def test_usual_mistakes(tmp_path: Path, title: str, expr: str, hint: str) -> None:
    found = point(tmp_path, title, expr, "reqps", {"window": "15s"})
    assert found.result is Result.FAIL
    assert hint in found.hint


def test_a_right_expression_in_a_wrong_unit(tmp_path: Path) -> None:
    found = point(tmp_path, "Latency p95", P95, "ms")
    assert found.result is Result.FAIL
    assert "set its unit to s" in found.hint


def test_another_panel_may_have_the_right_unit(tmp_path: Path) -> None:
    both = json.dumps({"panels": [panel("Latency", P95, "ms"), panel("Latency in seconds", P95, "s")]})
    assert judged(tmp_path, both)["p95 latency"].result is Result.PASS


def test_a_panel_inside_a_row_counts_and_a_missing_one_is_told(tmp_path: Path) -> None:
    row = {"type": "row", "panels": [panel("Queries", RATE, "reqps")]}
    points = judged(tmp_path, json.dumps({"panels": [row]}))
    assert points["query rate"].result is Result.PASS
    assert points["p95 latency"].observed == "no panel asks for it"
    assert "histogram_quantile" in points["p95 latency"].hint


@pytest.mark.parametrize(
    ("config", "passes"),
    [
        (CONFIG, True),
        (CONFIG.replace("global:\n  scrape_interval: 15s\n", "global: {}\n"), False),
        (CONFIG.replace("15s", "30s"), False),
        (CONFIG.replace("15s", "1m").replace("job_name: rag\n", "job_name: rag\n    scrape_interval: 15s\n"), True),
        (CONFIG.replace("rag:8001", "rag:8000"), False),
    ],
    ids=["global", "left out", "30s", "of the job", "another port"],
)
def test_the_interval_is_that_of_the_job(tmp_path: Path, config: str, passes: bool) -> None:
    found = judged(tmp_path, '{"panels": []}', config)["scraped every 15 s"]
    assert (found.result is Result.PASS) is passes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    static", "    metrics_path: /nope\n    static", "metrics_path: /nope"),
        ("    static", "    scheme: https\n    static", "scheme: https"),
        ("job_name: rag", "job_name: service", "job `service`"),
    ],
)
def test_a_job_that_does_not_reach_the_metrics_of_the_panels(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CONFIG
    found = judged(tmp_path, '{"panels": []}', CONFIG.replace(old, new))["scraped every 15 s"]
    assert found.result is Result.FAIL
    assert said in found.observed
    assert found.hint


def test_the_path_may_be_spelled_out(tmp_path: Path) -> None:
    config = CONFIG.replace("    static", "    metrics_path: /metrics\n    scheme: http\n    static")
    assert judged(tmp_path, '{"panels": []}', config)["scraped every 15 s"].result is Result.PASS


@pytest.mark.usefixtures("tool")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("global:\n", "global:\n  scrape_timeout: 30s\n", "scrape timeout greater than scrape interval"),
        ("    static", "    scrape_timeout: 30s\n    static", "scrape timeout greater than scrape interval"),
        ("    static", "    scrape_intervall: 1s\n    static", "field scrape_intervall not found"),
    ],
)
def test_what_prometheus_would_not_start_with_fails(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CONFIG
    found = judged(tmp_path, '{"panels": []}', CONFIG.replace(old, new))["scraped every 15 s"]
    assert found.result is Result.FAIL
    assert said in found.observed
    assert "promtool check config" in found.observed
    assert "\n" not in found.observed


@pytest.mark.usefixtures("tool")
def test_files_that_a_configuration_names_are_no_part_of_an_answer(tmp_path: Path) -> None:
    config = f"rule_files: [elsewhere.yml]\n{CONFIG}"
    assert judged(tmp_path, '{"panels": []}', config)["scraped every 15 s"].result is Result.PASS


def test_without_promtool_it_is_said_that_the_rest_was_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise PromtoolMissingError("no promtool: lab install")

    monkeypatch.setattr("lab.exercises.promtool.promtool", missing)
    found = judged(tmp_path, '{"panels": []}')["scraped every 15 s"]
    assert found.result is Result.PASS
    assert "was not checked: no promtool: lab install" in found.observed


def test_a_promtool_that_does_not_end_fails_the_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(_: str) -> str:
        raise AnswerError("prometheus.yml: promtool was not done with it after 180 s")

    monkeypatch.setattr(easy, "refused", hangs)
    found = judged(tmp_path, '{"panels": []}')["scraped every 15 s"]
    assert found.result is Result.FAIL
    assert "after 180 s" in found.observed


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("global:\n  scrape_interval: 15s\n scrape_configs: []\n", r"line 3, column 2: .*; correct the YAML there$"),
        ("scrape_configs: [\n", r"line 2, column 1: .*; correct the YAML there$"),
        ("a: \tb\n", r"line 1, column 4: .*; correct the YAML there$"),
        ("a: \x00", "; correct it$"),
        ("scrape_configs: 5", "compare it with the starter's$"),
        ("- a", "compare it with the starter's$"),
        (CONFIG.replace("15s", "soon"), "write it like 1h30m"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told_with_place_and_remedy(
    tmp_path: Path, config: str, said: str
) -> None:
    with pytest.raises(UsageError, match=rf"^prometheus\.yml: not a configuration of Prometheus: .*{said}") as refused:
        judged(tmp_path, '{"panels": []}', config)
    assert "\n" not in str(refused.value)
    assert "object" not in str(refused.value)


@pytest.mark.parametrize(
    ("dashboard", "config", "said"),
    [
        ("[]", CONFIG, "dashboard.json: not a dashboard"),
        ("{", CONFIG, "dashboard.json: not JSON"),
        ("[" * 100_000, CONFIG, "dashboard.json"),
        ('{"panels": []}', "scrape_configs: 5", "prometheus.yml: not a configuration"),
        ('{"panels": []}', "- a", "prometheus.yml: not a configuration"),
        ('{"panels": []}', "a: [", "prometheus.yml: not a configuration"),
        ('{"panels": []}', CONFIG.replace("15s", "soon"), "prometheus.yml: not a configuration"),
    ],
)
def test_files_that_are_none_are_bad_usage(tmp_path: Path, dashboard: str, config: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        judged(tmp_path, dashboard, config)


@pytest.mark.parametrize(
    "document",
    [
        {"panels": [{"title": "x", "fieldConfig": [], "targets": 5}]},
        {"panels": [{"targets": [{"expr": {"a": 1}}]}], "templating": []},
        {"panels": [{"type": "row", "panels": 3}], "templating": {"list": [{"name": 1, "current": 2}, 5]}},
    ],
)
def test_odd_dashboards_are_answered_in_one_line(tmp_path: Path, document: object) -> None:
    try:
        queries(json.dumps(document), "dashboard.json")
    except UsageError as error:
        assert "\n" not in str(error)
        assert "as Grafana writes them; export it again" in str(error)


@pytest.mark.parametrize(
    "shown",
    [
        {"refresh": "auto"}, {"time": {"from": "now/d", "to": "now/d"}}, {"time": {"from": "now-7d/d", "to": "now"}},
        {"time": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}},
    ],
)  # fmt: skip
def test_what_a_dashboard_shows_at_first_does_not_matter(shown: dict[str, object]) -> None:
    told = {"panels": [panel("Queries", "rate(x_total[5m])", "ops")], **shown}
    assert [query.expr for query in queries(json.dumps(told), "dashboard.json")] == ["rate(x_total[5m])"]
