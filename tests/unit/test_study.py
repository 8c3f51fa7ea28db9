"""Days of latency, and rules judged on them as Prometheus would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from lab.days import DAY_S, STEP_S, Days, play
from lab.deployment import Deployment
from lab.errors import LabError
from lab.names import NO_NAMES, Names
from lab.prom import Series
from lab.rag.metrics import DURATION_BUCKETS
from lab.scenario import Load, Scenario, Study, Wait
from lab.study import alerting_rules, judge_days, rang_of

STUDY = Study(days=1, incident={"latency_ms": 900.0}, incident_length=Wait(simulated_s=600))
SCENARIO = Scenario(
    name="x", title="", onset=(), detected=(), damage=(), recovered=(), alerts=(), study=STUDY,
    load=Load(users=100, per_user=0.05),
    service={
        "llm_latency_ms": "290", "llm_swing_ms": "90", "llm_swing_period_s": Wait(simulated_s=150),
        "llm_noise_ms": "15", "llm_noise_tau_s": Wait(simulated_s=60), "llm_jitter": "0.03",
        "llm_min_ms": "200", "llm_max_ms": "390",
    },
)  # fmt: skip
NOON = DAY_S // 2 // STEP_S


@pytest.mark.parametrize(
    ("marks", "for_s", "expected"),
    [
        ("0110", 0, [(15, 45)]),
        ("0110", 10, [(30, 45)]),  # active at one evaluation, firing at the next
        ("0100", 10, []),
        ("0111", 30, [(45, 60)]),  # still firing at the end
        ("0110", 30, []),
        ("1101", 0, [(0, 30), (45, 60)]),
        ("0000", 0, []),
    ],
)
def test_for_as_prometheus_counts_it(marks: str, for_s: float, expected: list[tuple[float, float]]):
    found = rang_of(np.array([m == "1" for m in marks]), for_s)
    assert [(r.start, r.end) for r in found] == expected


def test_a_day_is_the_services_own_noise_with_an_incident_at_noon():
    days = play(SCENARIO, STUDY, 1, 0)
    assert len(days.counts) == DAY_S // STEP_S
    queries = np.diff(days.counts[:, -1]) + days.hits_per_step
    assert set(queries) == {75}, "5 a second"
    fast = days.counts[:, DURATION_BUCKETS.index(0.4)]
    assert fast[NOON - 1] == days.counts[NOON - 1, -1], "noise never takes over 400 ms"
    slow = days.counts[-1, -1] - fast[-1]
    assert slow == 600 / STEP_S * 45, "the incident's queries, and only those"
    assert days.incidents == ((43_200.0, 43_800.0),)


def test_the_same_seed_gives_the_same_days_and_another_seed_does_not():
    first, again, other = (play(SCENARIO, STUDY, seed, 0).counts for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_openmetrics_counts_as_the_service_does():
    days = play(SCENARIO, STUDY, 1, 1_000_000)
    texts = list(days.openmetrics(6))
    assert len(texts) == 4
    assert all(text.startswith("# TYPE ") and text.endswith("# EOF\n") for text in texts)
    lines = texts[0].splitlines()
    assert len(lines) == 2 + 2 * (len(DURATION_BUCKETS) + 2) * 6 * 3600 // STEP_S
    last = f'cache_status="miss",le="+Inf"}} {days.counts[6 * 240 - 1, -1]} {1_000_000 + 6 * 3600 - STEP_S}'
    assert any(line.endswith(last) for line in lines)


# Rules of a fix, and what the days can say about them

P95 = "histogram_quantile(0.95, sum by (job, le) (rate(rag_query_duration_seconds_bucket[2m])))"
RECORDING = f"""
groups:
- name: g
  rules:
  - record: job:p95:2m
    expr: {P95}
  - alert: Slow
    expr: job:p95:2m > 0.5
    for: 2m
"""


def deployed(folder: Path, rules: str, names: Names = NO_NAMES) -> Deployment:
    path = folder / "rules.yml"
    path.write_text(rules, encoding="utf-8")
    return Deployment("fixed", {"rules.yml": path}, names)


class Server:
    """Answers an expression with the steps of an incident, and any other one with nothing, as a server without it."""

    def __init__(self, expr: str) -> None:
        self.expr = expr

    def results(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        if expr != self.expr:
            return []
        labels: Mapping[str, str] = {"job": "rag"}
        return [
            Series(labels, tuple((t, 0.9) for t in range(int(start), int(end) + 1, int(step)) if 43_260 <= t < 43_800))
        ]


@pytest.fixture(scope="module")
def one_day() -> Days:
    return play(SCENARIO, STUDY, 1, 0)


def test_an_alert_over_a_recording_is_judged_as_the_one_over_what_it_records(tmp_path: Path, one_day: Days):
    server = Server(f"(({P95})) > 0.5")
    found = judge_days(server, deployed(tmp_path, RECORDING), one_day)  # type: ignore[arg-type]
    assert (found.alerts, found.seen, found.incidents) == (1, 1, 1)


def test_the_study_reads_a_learners_names_as_the_live_server_does(tmp_path: Path):
    theirs = RECORDING.replace("rag_query_duration_seconds", "my_s").replace(
        "job:p95:2m > 0.5", 'my_s_count{job="shop"}'
    )
    names = Names({"rag_query_duration_seconds": "my_s"}, {"rag": "shop"})
    (rule,) = alerting_rules(deployed(tmp_path, theirs, names))
    assert (rule.expr, rule.for_s) == ('rag_query_duration_seconds_count{job="rag"}', 120)


def test_a_rule_that_can_not_do_without_its_recording_is_no_failure_of_the_fix(tmp_path: Path, one_day: Days):
    rules = RECORDING.replace("job:p95:2m > 0.5", "'job:p95:2m{job=~\"r.*\"} > 0.5'")
    with pytest.raises(
        LabError, match=r"rule Slow can't be judged on back-filled days: job=~: .*; choose in the recording"
    ):
        judge_days(Server(""), deployed(tmp_path, rules), one_day)  # type: ignore[arg-type]


def test_nor_is_an_incident_missed_by_a_rule_that_reads_what_the_days_have_not(tmp_path: Path, one_day: Days):
    rules = RECORDING.replace("> 0.5", "> 0.5 and on () sum(rate(rag_queries_total[2m])) > 0.1")
    with pytest.raises(LabError, match="rule Slow can't be judged on back-filled days: they have no rag_queries_total"):
        judge_days(Server(""), deployed(tmp_path, rules), one_day)  # type: ignore[arg-type]


@pytest.mark.parametrize("expr", ["job:p95:2m > 5", "up == 0"])
def test_an_incident_that_the_days_show_and_no_rule_sees_is_missed(expr: str, tmp_path: Path, one_day: Days):
    rules = RECORDING.replace("job:p95:2m > 0.5", expr)
    found = judge_days(Server(""), deployed(tmp_path, rules), one_day)  # type: ignore[arg-type]
    assert (found.alerts, found.seen, found.incidents) == (0, 0, 1)
