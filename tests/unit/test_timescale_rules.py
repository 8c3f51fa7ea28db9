import math
from pathlib import Path

import pytest
import yaml

from lab.timescale import InputError, TimescaleError, compress_rules, max_speed

RULES = r"""# Detection rules.
groups:
  - name: service
    interval: 1m
    limit: 3
    query_offset: 30s
    rules:
      - alert: HighErrorRate
        # five percent of a minute
        expr: |
          sum(rate(rag_queries_total{status="error", path=~"/it's/.+\\.x"}[5m]))
            / sum(rate(rag_queries_total[5m])) > 0.05

        for: 2m   # two minutes
        keep_firing_for: 5m
        labels: {severity: yes, tier: 010}
        annotations:
          summary: "{{ $value | humanizePercentage }} over [5m], {{ $labels.job }}'s"
          runbook_url: 'https://example.invalid/#x'
      - record: rag:query_rate:5m
        expr: "sum(rate(rag_queries_total[5m]))"
      - {record: 'rag:query_rate:1h', expr: 'sum(rate(rag_queries_total[1h]))', labels: {a: "b"}}
  - name: monitoring
    rules:
      - alert: Watchdog
        expr:   vector(1) # always
      - alert: Flapping
        expr: sum(increase(notifications_total[10m])) > 4
        annotations: {lab_timescale: event}
      - alert: Quiet
        expr: >-
          time() - last_success_seconds > 600
          and increase(rag_queries_total[5m]) > 30
        annotations:
          lab_timescale: "traffic, age"
"""

FASTER = r"""# Detection rules.
groups:
  - name: service
    interval: 4s
    limit: 3
    query_offset: 2s
    rules:
      - alert: HighErrorRate
        # five percent of a minute
        expr: 'sum(rate(rag_queries_total{status="error", path=~"/it''s/.+\\.x"}[20s])) / sum(rate(rag_queries_total[20s])) > 0.05'

        for: 8s   # two minutes
        keep_firing_for: 20s
        labels: {severity: yes, tier: 010}
        annotations:
          summary: "{{ $value | humanizePercentage }} over [5m], {{ $labels.job }}'s"
          runbook_url: 'https://example.invalid/#x'
      - record: rag:query_rate:5m
        expr: 'sum(rate(rag_queries_total[20s]))'
      - {record: 'rag:query_rate:1h', expr: 'sum(rate(rag_queries_total[4m]))', labels: {a: "b"}}
  - name: monitoring
    rules:
      - alert: Watchdog
        expr:   vector(1) # always
      - alert: Flapping
        expr: 'sum(increase(notifications_total[40s])) > 4'
        annotations: {lab_timescale: event}
      - alert: Quiet
        expr: 'time() - last_success_seconds > 40 and increase(rag_queries_total[20s]) > 2'
        annotations:
          lab_timescale: "traffic, age"
"""  # noqa: E501


def alert(*lines: str) -> str:
    """A file with one rule X; its expression `x > 1` unless given."""
    body = ["alert: X", *([] if any(line.startswith("expr") for line in lines) else ["expr: x > 1"]), *lines]
    return "groups:\n- name: g\n  rules:\n  - " + "\n    ".join(body) + "\n"


def test_a_rule_file_is_compressed_and_every_other_byte_stays() -> None:
    assert compress_rules(RULES, 15) == FASTER


def test_at_speed_one_the_file_comes_back_as_it_is() -> None:
    assert compress_rules(RULES, 1) == RULES
    assert compress_rules(alert("for: 90m"), 1) == alert("for: 90m")
    assert compress_rules(alert("for: 1s", "expr: hour() > 5"), 1) == alert("for: 1s", "expr: hour() > 5")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "groups: []\n", "groups:\n", "groups: [{name: a}]\n"])
def test_a_file_without_rules_is_fine(text: str) -> None:
    assert compress_rules(text, 15) == text
    assert max_speed(text) == math.inf


def test_windows_know_the_scrape_interval_and_the_kind_of_server() -> None:
    text = alert("expr: rate(x[1m]) > 1")
    assert "[6s]" in compress_rules(text, 15, scrape_interval_s=30)
    assert "[5s]" in compress_rules(text, 15, min_scrapes=5)


def test_a_for_shorter_than_a_redeploy_is_refused_with_the_highest_speed() -> None:
    with pytest.raises(TimescaleError) as caught:
        compress_rules(alert("for: 1m"), 15, filename="detect.rules.yml")
    assert str(caught.value).startswith("detect.rules.yml:4: rule X: for: 1m: becomes 4 s at speed 15")
    assert "highest speed for this rule is 10," in caught.value.remedy
    assert (caught.value.rule, caught.value.line, caught.value.filename) == ("X", 4, "detect.rules.yml")


def test_the_bound_itself_is_allowed() -> None:
    assert "for: 6s" in compress_rules(alert("for: 1m"), 10)
    assert "for: 6s" in compress_rules(alert("for: 77s"), 77 / 6)


@pytest.mark.parametrize("line", ["for: 0s", "for: 0", "keep_firing_for: 10s"])
def test_only_a_for_above_zero_is_guarded(line: str) -> None:
    compress_rules(alert(line), 15)


def test_the_guard_can_be_turned_off_for_a_file_or_a_rule() -> None:
    assert "for: 667ms" in compress_rules(alert("for: 10s"), 15, min_for_s=None)
    assert "for: 667ms" in compress_rules(alert("for: 10s", "annotations: {lab_timescale: short_for}"), 15)
    assert "for: 667ms" in compress_rules(alert("for: 10s"), 15, min_for_s=0.5)
    assert "for: 667ms" in compress_rules(alert("for: 10s"), 15, min_for_s=0)


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        (RULES, 20),
        (alert("for: 1m"), 10),
        (alert("for: 3s"), 1),
        (alert("for: 0s"), math.inf),
        (alert("for: 10s", "annotations: {lab_timescale: short_for}"), math.inf),
        (alert("for: 1m") + "  - alert: Y\n    expr: x\n    for: 30s\n", 5),
    ],
)
def test_the_highest_speed_of_a_file(text: str, speed: float) -> None:
    assert max_speed(text) == speed
    if math.isfinite(speed) and speed > 1:
        compress_rules(text, speed)
        with pytest.raises(TimescaleError):
            compress_rules(text, speed * 1.001)


def test_a_refused_expression_names_file_line_and_rule() -> None:
    with pytest.raises(TimescaleError) as caught:
        compress_rules(alert("expr: hour() > 8"), 15, filename="a.yml")
    assert str(caught.value).startswith("a.yml:4: rule X: hour(): ")


def test_a_recording_rule_may_not_record_a_count() -> None:
    text = alert("expr: increase(x[5m])").replace("alert:", "record:")
    with pytest.raises(TimescaleError, match=r"rule X: increase.* records a count"):
        compress_rules(text, 15)
    assert "increase(x[20s])" in compress_rules(alert("expr: increase(x[5m])"), 15)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("groups: [", 1, "not valid YAML"),
        ("groups:\n- name: a\n   rules: x\n", 3, "not valid YAML"),
        ("groups: \x00", 0, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 3, "more than one YAML document"),
        ("- 1\n", 1, "must be a mapping"),
        ("scrape_configs: []\n", 1, "no `groups`"),
        ("groups: 5\n", 1, "must be a list"),
        ("groups:\n- name: a\n  rules: 5\n", 3, "must be a list"),
        ("groups:\n- rules:\n  - alert: X\n", 3, "needs `alert` or `record`"),
        ("groups:\n- rules:\n  - expr: x\n", 3, "needs `alert` or `record`"),
        (alert("expr: [1]"), 5, "single value"),
        (alert("expr: a", "expr: b"), 6, "set twice"),
        (alert("for: 5 m"), 6, "for: '5 m': not a Prometheus duration"),
        ("groups:\n- name: a\n  interval: x\n", 3, "interval: 'x': not a Prometheus duration"),
        (alert("expr: rate(x[5m]"), 4, "does not parse"),
        (alert("annotations: {lab_timescale: maybe}"), 6, "known are event, traffic, horizon, age, short_for"),
        (alert("annotations: {lab_timescale: 'event, traffic'}"), 6, "contradict"),
        ("groups: " + "[" * 5000, 0, "nested too deeply"),
        ("# " + "x" * (4 * 1024 * 1024), 0, "characters"),
    ],
)
def test_an_unusable_file_is_one_line_with_its_place(text: str, line: int, words: str) -> None:
    with pytest.raises(InputError) as caught:
        compress_rules(text, 15, filename="bad.yml")
    assert str(caught.value).startswith(f"bad.yml:{line}: " if line else "bad.yml: ")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_anchors_and_merges_are_followed() -> None:
    text = (
        "x-common: &common\n  for: &two 2m\n  annotations: {lab_timescale: traffic}\n"
        "groups:\n- name: g\n  rules:\n"
        "  - &first\n    <<: *common\n    alert: A\n    expr: &e increase(x[5m]) > 30\n"
        "  - {<<: [*common], alert: B, expr: *e, keep_firing_for: *two}\n"
        "  - alert: C\n    expr: &f |\n      rate(x[5m])\n    for: *two\n"
    )
    out = compress_rules(text, 15)
    assert "for: &two 8s\n" in out and "expr: &e 'increase(x[20s]) > 2'\n" in out and "expr: &f 'rate(x[20s])'\n" in out
    rules = yaml.safe_load(out)["groups"][0]["rules"]
    assert [rule["for"] for rule in rules] == ["8s"] * 3 and rules[1]["keep_firing_for"] == "8s"


def test_the_first_of_several_merges_wins() -> None:
    text = (
        "x: [&a {for: 2m}, &b {for: 1m, keep_firing_for: 5m}]\n"
        "groups: [{name: g, rules: [{<<: [*a, *b], alert: A, expr: x > 1}]}]\n"
    )
    out = yaml.safe_load(compress_rules(text, 15))["groups"][0]["rules"][0]
    assert (out["for"], out["keep_firing_for"]) == ("8s", "20s")
    assert max_speed(text) == 20


def test_an_anchor_that_would_need_two_values_is_refused() -> None:
    text = (
        "groups:\n- name: g\n  rules:\n"
        "  - {alert: A, expr: &e 'increase(x[5m]) > 30', annotations: {lab_timescale: traffic}}\n"
        "  - {alert: B, expr: *e, annotations: {lab_timescale: event}}\n"
    )
    with pytest.raises(InputError, match=r"rules.yml:4: .*two settings"):
        compress_rules(text, 15)


def test_an_alias_to_itself_ends() -> None:
    with pytest.raises(InputError):
        compress_rules("groups: [&a {<<: *a, name: x}]\n", 15)


ROOT = Path(__file__).resolve().parents[2]
BUNDLED = [
    *(path for path in (ROOT / "compose/prometheus").glob("*rules/*.yml") if not path.name.endswith(".test.yml")),
    *(ROOT / "scenarios").glob("*/detect.rules.yml"),
    *(ROOT / "scenarios/service").glob("*/detect.rules.yml"),
    *(ROOT / "scenarios/alert_storm").glob("*/rules.yml"),
]


@pytest.mark.parametrize("speed", [15, 20])
@pytest.mark.parametrize("min_scrapes", [3, 5])
@pytest.mark.parametrize("path", BUNDLED, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_the_labs_own_rules_are_played_with_their_numbers_as_they_are(
    path: Path, min_scrapes: int, speed: float
) -> None:
    text = path.read_text(encoding="utf-8")
    shorter = compress_rules(text, speed, filename=path.name, min_scrapes=min_scrapes)
    for before, after in zip(_rules(text), _rules(shorter), strict=True):
        assert before.rpartition(" ")[2] == after.rpartition(" ")[2], "the threshold"


def _rules(text: str) -> list[str]:
    return [" ".join(rule["expr"].split()) for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
