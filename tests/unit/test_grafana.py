"""The dashboards are what their source says, and Grafana can read them: ids, grid, data sources, units, thresholds.

No Grafana is asked here; whether their queries find anything is asked of a live stack in tests/e2e/test_dashboards.py.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from lab.rag import metrics as contract

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "compose" / "grafana"
MIXED = "-- Mixed --"
GENERATED = ("service.json", "monitoring.json")
Json = dict[str, Any]

SPECIFIED = {
    "service.json": {
        "Query rate", "Cache hit ratio", "Latency", "Cost per hour", "Cost per query", "Queries by model",
        "Tokens by model", "Error ratio", "Availability", "Answers over 24 hours", "Documents retrieved",
        "Queue depth", "Rate-limit headroom",
    },
    "monitoring.json": {
        "Head series", "Series added, by target", "Scrape duration, by target", "Range queries",
        "Write-ahead log and disk", "Disk used", "Notifications per hour", "Watchdog",
    },
}  # fmt: skip

ALERT_OF = {
    ("service.json", "Error ratio"): "HighErrorRate",
    ("service.json", "Errors"): "HighErrorRate",
    ("service.json", "Latency p95"): "HighLatencyP95",
    ("service.json", "Latency"): "HighLatencyP95",
    ("service.json", "Cost per hour"): "CostSpike",
    ("service.json", "Cost per hour, by model"): "CostSpike",
    ("service.json", "Rate-limit headroom"): "RateLimitClose",
    ("service.json", "Answers over 24 hours"): "ResponseQualityLow",
    ("monitoring.json", "Disk used"): "PrometheusDiskFilling",
    ("monitoring.json", "Range queries"): "PrometheusQueriesSlow",
    ("monitoring.json", "Range queries p95"): "PrometheusQueriesSlow",
}
"""Panels that show where an alert's threshold is."""


def load(name: str) -> Json:
    found = json.loads((GRAFANA / "dashboards" / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def panels(name: str) -> list[Json]:
    return [panel for panel in load(name)["panels"] if panel["type"] != "row"]


def titled(name: str, title: str) -> list[Json]:
    return [panel for panel in panels(name) if panel["title"] == title]


def provisioned() -> dict[str, Json]:
    """Data sources by uid."""
    text = (GRAFANA / "provisioning" / "datasources" / "lab.yml").read_text(encoding="utf-8")
    return {source["uid"]: source for source in yaml.safe_load(text)["datasources"]}


def test_the_committed_dashboards_are_what_their_source_says(tmp_path: Path):
    command = [sys.executable, str(GRAFANA / "source"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(GENERATED)
    for name in GENERATED:
        committed = (GRAFANA / "dashboards" / name).read_text(encoding="utf-8")
        assert (tmp_path / name).read_text(encoding="utf-8") == committed, "run: python compose/grafana/source"


@pytest.mark.parametrize("name", GENERATED)
def test_grafanas_own_model_reads_every_field(name: str):
    register_default_plugins()
    written = load(name)
    for panel in written["panels"]:  # the SDK reads the queries of a mixed panel as none of its kinds
        if panel.get("datasource", {}).get("uid") == MIXED:
            panel["datasource"] = panel["targets"][0]["datasource"]
    assert json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(written)), cls=JSONEncoder)) == written


@pytest.mark.parametrize("name", GENERATED)
def test_nothing_that_is_specified_is_missing(name: str):
    assert {panel["title"] for panel in panels(name)} >= SPECIFIED[name]
    assert [panel for panel in panels(name) if panel["type"] == "alertlist"]


@pytest.mark.parametrize("name", GENERATED)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str):
    everything = load(name)["panels"]
    ids = [panel["id"] for panel in everything]
    assert len(set(ids)) == len(ids)
    assert all(number > 0 for number in ids)
    taken: dict[tuple[int, int], str] = {}
    for panel in everything:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies over {taken[cell]}"
            taken[cell] = panel["title"]
    assert len(taken) == 24 * len({y for _, y in taken}), "a gap beside a panel"


@pytest.mark.parametrize("name", GENERATED)
def test_whoever_is_asked_is_provisioned(name: str):
    sources = provisioned()
    for panel in panels(name):
        if panel["type"] == "alertlist":
            assert panel["options"]["datasource"] in {"", *(source["name"] for source in sources.values())}
            continue
        asked = {target["datasource"]["uid"] for target in panel["targets"]}
        for uid in asked:
            assert sources[uid]["type"] == "prometheus"
        assert panel["datasource"]["uid"] == (asked.pop() if len(asked) == 1 else MIXED)


def test_data_sources_are_those_of_the_stack():
    sources = provisioned()
    assert {uid: source["url"] for uid, source in sources.items()} == {
        "prometheus": "http://prometheus:9090",
        "observer": "http://observer:9090",
        "alertmanager": "http://alertmanager:9093",
    }
    assert [uid for uid, source in sources.items() if source.get("isDefault")] == ["prometheus"]
    assert all(not source["editable"] for source in sources.values())
    for uid in ("prometheus", "observer"):
        assert sources[uid]["jsonData"]["manageAlerts"], "else its rules are in no alert list"
        assert sources[uid]["jsonData"]["alertmanagerUid"] in sources


def test_dashboards_are_read_from_where_they_are_mounted():
    text = (GRAFANA / "provisioning" / "dashboards" / "lab.yml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    uids = [json.loads(path.read_text())["uid"] for path in (GRAFANA / "dashboards").glob("*.json")]
    assert len(set(uids)) == len(uids) == 3


@pytest.mark.parametrize("name", GENERATED)
def test_units_are_grafanas(name: str):
    known = {value for value in vars(units).values() if isinstance(value, str)}
    for panel in panels(name):
        if panel["type"] != "alertlist":
            assert panel["fieldConfig"]["defaults"]["unit"] in known, panel["title"]


@pytest.mark.parametrize("name", GENERATED)
def test_every_panel_says_what_it_shows(name: str):
    assert all(panel["description"].endswith(".") for panel in panels(name))


@pytest.mark.parametrize("name", GENERATED)
def test_thresholds_rise_from_a_base(name: str):
    for panel in panels(name):
        if panel["type"] == "alertlist":
            continue
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {"steps": [{"value": None}]})["steps"]
        assert steps[0]["value"] is None, panel["title"]
        values = [step["value"] for step in steps[1:]]
        assert values == sorted(set(values)), panel["title"]


def test_the_cache_is_red_below_three_tenths_and_green_from_one_half():
    (panel,) = titled("service.json", "Cache hit ratio")
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["value"], step["color"]) for step in steps] == [(None, "red"), (0.3, "yellow"), (0.5, "green")]


def test_errors_have_a_line_at_one_per_cent():
    (panel,) = titled("service.json", "Errors")
    assert "dashed" in panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"]
    assert 0.01 in [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def expression(alert: str) -> str:
    for path in [*(ROOT / "compose" / "prometheus").glob("*rules/*.yml"), *(ROOT / "scenarios").rglob("*.rules.yml")]:
        for group in yaml.safe_load(path.read_text(encoding="utf-8")).get("groups", []):
            for rule in group["rules"]:
                if rule.get("alert") == alert:
                    return str(rule["expr"])
    raise AssertionError(f"no alert {alert}")


@pytest.mark.parametrize(("place", "alert"), ALERT_OF.items(), ids=lambda value: str(value))
def test_a_panel_turns_red_where_its_alert_fires(place: tuple[str, str], alert: str):
    """On the red side of a step at the first number that the alert's rule compares with."""
    compared = re.search(r"([<>])\s*(\d+(?:\.\d+)?)", expression(alert))
    assert compared is not None
    panel = titled(*place)[0]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    at = [step["value"] for step in steps].index(float(compared[2]))
    assert steps[at if compared[1] == ">" else at - 1]["color"] == "red"


def expressions(name: str) -> list[str]:
    return [target["expr"] for panel in load(name)["panels"] for target in panel.get("targets", [])]


NAMES = {"service.json", "monitoring.json", "queries.json"}
EXPRESSIONS = sorted({expr.replace("$window", "5m") for name in NAMES for expr in expressions(name)})


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_it_is_none_of_the_naive_queries(expr: str):
    promql_parser.parse(expr)
    if "histogram_quantile" in expr:
        assert "sum by (le)" in expr
    assert "rag_cache_hit_rate" not in expr, "a mean of hit rates lies"
    served = {"_total", "_sum", "_count", "_bucket"}
    for metric in re.findall(r"\brag_\w+", expr):
        assert metric in GAUGES or any(metric.endswith(end) for end in served), f"{metric} is not on the page"


GAUGES = {"rag_queue_depth", "rag_rate_limit_remaining", "rag_cache_size_entries"}


def test_gauges_are_those_of_the_service():
    source = Path(contract.__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in GAUGES)


@pytest.mark.parametrize("name", GENERATED)
def test_windows_are_the_variable_and_it_is_five_minutes(name: str):
    """A window of hours in a panel walks every sample of it at every point."""
    (variable,) = load(name)["templating"]["list"]
    assert variable["name"] == "window"
    assert variable["current"]["value"] == "5m"
    assert variable["query"].split(",") == [option["value"] for option in variable["options"]]
    assert {window for expr in expressions(name) for window in re.findall(r"\[(.*?)\]", expr)} == {"$window"}
