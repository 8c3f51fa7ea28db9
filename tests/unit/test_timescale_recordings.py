"""Rules read without the recordings they read; promtool says that both come to the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.install import BinaryError, find
from lab.timescale import InputError, TimescaleError
from lab.timescale.recordings import Recording, metrics_in, read_through

STEP_MS = 15_000
P95 = Recording("job:p95:2m", "histogram_quantile(0.95, sum by (job, le) (rate(x_bucket[2m])))", {})
LEVEL = Recording("level", "sum by (job) (a)", {"kind": "$1"})
TWICE = Recording("twice", "level * 2", {})
ONE, OTHER = Recording("both", "sum(a)", {"of": "a"}), Recording("both", "sum(b)", {"of": "b"})
ALL = [P95, LEVEL, TWICE, ONE, OTHER]


@pytest.mark.parametrize(
    ("expr", "through"),
    [
        ("job:p95:2m > 0.5", f"({P95.expr.join('()')}) > 0.5"),
        ("x > 0.5  # as written", "x > 0.5  # as written"),
        ("max_over_time(job:p95:2m[5m])", f"max_over_time(({P95.expr.join('()')})[5m:15s])"),
        (
            "job:p95:2m offset 5m > 1",
            f"last_over_time(({P95.expr.join('()')})[15s:15s] offset 5m) > 1",
        ),
        ('sum by (job) ({__name__="job:p95:2m"})', f"sum by (job) (({P95.expr.join('()')}))"),
    ],
)
def test_what_a_recording_computes_stands_in_its_place(expr: str, through: str) -> None:
    assert read_through(expr, ALL, STEP_MS) == through


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ('level{job=~"a|b"} > 1', "by a pattern"),
        ("level @ 5", "fixed instant"),
        ("itself > 1", "reads itself"),
        ("sum(ALERTS) > 1", "about its alerts"),
        ('{__name__=~"lev.*"} > 1', "does not name one metric"),
    ],
)
def test_what_can_not_be_computed_is_refused_with_a_remedy(expr: str, reason: str) -> None:
    with pytest.raises(TimescaleError, match=reason) as caught:
        read_through(expr, [*ALL, Recording("itself", "itself + 1", {})], STEP_MS)
    assert caught.value.remedy


def test_what_does_not_parse_is_said() -> None:
    with pytest.raises(InputError):
        read_through("level >", ALL, STEP_MS)


def test_the_metrics_of_an_expression() -> None:
    expr = 'topk(scalar(k), sum(rate(a[5m])) / {__name__="b"}) > max_over_time((-(c))[5m:]) and {job="x"}'
    assert metrics_in(expr) == {"k", "a", "b", "c", ""}


@pytest.mark.parametrize(
    "expr",
    [
        "level", "twice", "both", 'level{job="x"}', 'level{job!="x"}', 'level{kind="$1"}', 'level{kind=""}',
        'both{of="a"}', "level offset 2m", "max_over_time(level[3m])", "sum(level) / 2", 'sum(absent(level{job="z"}))',
    ],
)  # fmt: skip
def test_promtool_finds_no_difference(expr: str, tmp_path: Path) -> None:
    try:
        promtool = str(find("promtool").path)
    except BinaryError as error:
        pytest.skip(str(error))
    recorded = [{"record": r.name, "expr": r.expr, **({"labels": r.labels} if r.labels else {})} for r in ALL[1:]]
    compared = [
        {"record": "read", "expr": expr},
        {"record": "through", "expr": read_through(expr, ALL, STEP_MS)},
    ]
    group = {"name": "g", "interval": "15s", "rules": [*recorded, *compared]}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [group]}), encoding="utf-8")
    lone = "count(read unless through) or count(through unless read)"
    equal = [] if 'kind=""' in expr else [{"labels": "{}", "value": 0}]  # all have that label
    series = [
        {"series": 'a{job="x"}', "values": "1+1x60"},
        {"series": 'a{job="y"}', "values": "5+2x60"},
        {"series": "b", "values": "7+3x60"},
    ]
    tests = [
        {"expr": "sum(read != bool through)", "eval_time": "10m", "exp_samples": equal},
        {"expr": lone, "eval_time": "10m", "exp_samples": []},
    ]
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "15s",
            "tests": [{"interval": "15s", "input_series": series, "promql_expr_test": tests}]}  # fmt: skip
    (tmp_path / "test.yml").write_text(json.dumps(test), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
