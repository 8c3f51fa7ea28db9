"""What the servers read as text stays the text that it was: in names of alerts, in labels, on the way to a server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from lab import serveryaml
from lab.catalog import alerts_in
from lab.errors import RulesError
from lab.install import BinaryError, find
from lab.names import Names
from lab.replicas import with_replicas
from lab.services import alertmanager, prometheus
from lab.timescale import TimescaleError, compress_rules
from lab.translation import translate_rules, translate_scrapes

AS_WRITTEN = {
    "version": "1.10", "region": "no", "build": "010", "slot": "22:30", "day": "2024-01-01", "none_such": "2024-02-30",
    "value": "=", "on": "on",
}  # fmt: skip
CONFIG = f"""\
global:
  scrape_interval: 15s
  external_labels: {{{", ".join(f"{key}: {value}" for key, value in AS_WRITTEN.items())}}}
scrape_configs:
  - job_name: rag
    honor_labels: true
    sample_limit: 5
    static_configs:
      - targets: [rag:8001]
        labels: {{env: on, zone: 0123, quoted: "true"}}
  - job_name: bare
    static_configs:
"""
ADDRESSES = {"rag:8001": "127.0.0.1:1", "alertmanager:9093": "127.0.0.1:2"}


def texts(node: yaml.Node) -> object:
    """A document as a server reads it: what stands there."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [texts(one) for one in node.value]
    return {key.value: texts(value) for key, value in node.value}


def read(text: str) -> dict[str, dict[str, object]]:
    found = texts(yaml.compose(text, Loader=yaml.SafeLoader))
    assert isinstance(found, dict)
    return found


def rules(alert: str, more: str = "") -> str:
    return f"groups:\n- name: a\n  rules:\n  - alert: {alert}\n    expr: up == 0\n{more}"


@pytest.mark.parametrize("name", ["500", "Yes", "2024-01-01", "2024-02-30", "="])
def test_an_alert_is_called_as_it_is_written(name: str) -> None:
    assert alerts_in({"rules.yml": rules(name)}) == (name,)
    assert json.loads(json.dumps(alerts_in({"rules.yml": rules(name)}))) == [name]


@pytest.mark.parametrize("value", ["=", "!foo x", "2024-02-30", "<<", "0x_"])
def test_values_that_python_would_not_read_are_read(value: str) -> None:
    assert alerts_in({"rules.yml": rules("A", f"    labels: {{severity: {value}}}\n")}) == ("A",)


def test_what_is_no_rules_file_is_still_refused() -> None:
    for text in ("groups: 3", "- a", "a: ["):
        with pytest.raises(RulesError, match=r"^rules\.yml: not a Prometheus rules file"):
            alerts_in({"rules.yml": text})


def test_labels_reach_a_prometheus_as_they_are_written(tmp_path: Path) -> None:
    shown = prometheus.render_config(CONFIG, 1.0, ADDRESSES)
    found = read(shown)
    assert found["global"]["external_labels"] == AS_WRITTEN
    assert "honor_labels: true\n" in shown, "unquoted, as the server wants a truth value"
    assert "sample_limit: 5\n" in shown
    (group,) = found["scrape_configs"][0]["static_configs"]  # type: ignore[index]
    assert group["targets"] == ["127.0.0.1:1"]
    assert group["labels"] == {"instance": "rag:8001", "env": "on", "zone": "0123", "quoted": "true"}
    assert 'quoted: "true"\n' in shown
    (tmp_path / "prometheus.yml").write_text(shown, encoding="utf-8")
    try:
        promtool = str(find("promtool").path)
    except BinaryError as error:
        pytest.skip(str(error))
    done = subprocess.run([promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("section", [
    "scrape_configs:", "alerting:", "alerting: {alertmanagers: }", "scrape_configs: [{job_name: a, static_configs: }]",
    "scrape_configs: [{job_name: a, static_configs: [{targets: ['x:1'], labels: }]}]",
])  # fmt: skip
def test_an_empty_section_is_none(section: str) -> None:
    assert prometheus.render_config(f"{section}\n", 1.0, ADDRESSES)
    assert with_replicas(f"{section}\n", ["rag-1"])


def test_labels_survive_replicas_other_names_and_an_alertmanager() -> None:
    names = Names({"rag_queries_total": "my_queries_total"}, {})
    for text in (with_replicas(CONFIG, ["rag-1"]), translate_scrapes(CONFIG, names, first=True)):
        assert read(text)["global"]["external_labels"] == AS_WRITTEN
    routes = "route: {receiver: a, routes: [{matchers: ['x=\"y\"'], continue: yes, receiver: a}]}\n"
    hook = '{url: "http://alertmanager:9093/x", send_resolved: true}'
    shown = alertmanager.render_config(f"{routes}receivers: [{{name: a, webhook_configs: [{hook}]}}]\n", 1.0, ADDRESSES)
    assert yaml.safe_load(shown)["receivers"][0]["webhook_configs"] == [
        {"url": "http://127.0.0.1:2/x", "send_resolved": True}
    ]
    assert yaml.safe_load(shown)["route"]["routes"][0]["continue"] is True


@pytest.mark.parametrize(
    "text", ["yes", "1.0", "null", "", "a: b", "# a", "two\nlines", "it's", '"', "ü", "~", "<<", "="]
)
def test_what_is_put_in_comes_out(text: str) -> None:
    shown = serveryaml.dump({"a": text, text: [text, None, True, 5]})
    assert yaml.safe_load(shown) == {"a": text, text: [text, None, True, 5]}


def test_a_document_that_is_empty_may_follow_and_no_other() -> None:
    text = rules("A") + "---\n"
    assert compress_rules(text, 15.0)
    assert alerts_in({"rules.yml": text}) == ("A",)
    with pytest.raises(TimescaleError, match="more than one YAML document"):
        compress_rules(text + "groups: []\n", 15.0)


@pytest.mark.parametrize("pattern", ["my_latency_seconds_(bucket|count)", "my_latency_seconds_.+", "my_latency_sec.*"])
def test_a_pattern_that_meets_a_series_whose_name_is_mapped_is_refused(pattern: str) -> None:
    names = Names({"rag_query_duration_seconds": "my_latency_seconds"}, {})
    text = rules("A").replace("up == 0", f"'count({{__name__=~\"{pattern}\"}}) > 1'")
    with pytest.raises(TimescaleError, match="is a pattern that my_latency_seconds"):
        translate_rules(text, names)
