"""Dashboards as Grafana writes them, as far as their viewers' queries go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.dashboard import Dashboard, Panel, parse

ROOT = Path(__file__).resolve().parents[2]
OURS = [*(ROOT / "compose").rglob("dashboards/queries.json"), *(ROOT / "scenarios").glob("*/*/dashboard.json")]


def test_what_a_viewer_asks_for():
    panel = {"title": "Rate", "maxDataPoints": 2880, "targets": [{"expr": "up"}, {"refId": "B"}]}
    text = json.dumps({"panels": [panel, {"type": "row"}], "time": {"from": "now-24h"}, "refresh": "5s"})
    found = parse(text)
    assert found == Dashboard((Panel("Rate", ("up",), 2880),), 86_400, 5)
    assert found.step_s(found.panels[0]) == 30


def test_what_grafana_leaves_out():
    found = parse('{"panels": [{"title": "Rate"}], "refresh": ""}')
    assert found == Dashboard((Panel("Rate", (), 1000),), 3600, 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a dashboard"),
        ('{"panels": {}}', "not a dashboard"),
        ('{"time": {"from": "2026-01-01"}}', "range that ends now"),
        ('{"time": {"from": "now-1y"}}', "no length of time"),
    ],
)
def test_what_is_none(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize("path", OURS, ids=str)
def test_ours_can_be_viewed(path: Path):
    found = parse(path.read_text(encoding="utf-8"))
    assert found.panels
    assert all(panel.title and panel.exprs for panel in found.panels)
