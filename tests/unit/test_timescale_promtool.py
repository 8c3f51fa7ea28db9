"""What comes out must please the real servers' own checkers, where they are installed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lab.install import BinaryError, find
from lab.timescale import compress_prometheus_config, compress_rules


def _promtool() -> str | None:
    try:
        return str(find("promtool").path)
    except BinaryError:
        return None


PROMTOOL = _promtool()
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: run `lab install`")

RULES = r"""
groups:
  - name: real
    interval: 1m
    rules:
      - alert: MetricCardinalityExplosion
        expr: >
          deriv(prometheus_tsdb_head_series{job="prometheus"}[1m])
          > scalar(0.25 * (sum(rate(rag_tokens_used_count[1m])) or vector(0)))
        for: 2m
        annotations: {summary: '{{ $value | humanize }} series a second'}
      - alert: SlowQueries
        expr: histogram_quantile(0.95, sum by (le) (rate(x_bucket{path=~"/api/v1/.+\\.x", q!~`\d'"`}[5m]))) > 2
        for: 1m30s
      - alert: Absent
        expr: absent(up{job="x"}) or (up{job="x"} == 1 unless on (job, instance) x)
      - alert: Peak
        expr: max_over_time(rate(x[5m])[1h:]) > 2 * max_over_time(rate(x[5m])[1h:10s] offset 10s)
      - alert: DiskFullSoon
        expr: predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600) < 0
        annotations: {lab_timescale: horizon}
      - alert: Unicode
        expr: sum by ("a.b") (rate({"c.d", "e.f"="g"}[5m])) > 1
      - record: rag:query_rate:5m
        expr: sum without (instance) (rate(rag_queries_total[5m]))
"""
CONFIG = "scrape_configs:\n- job_name: a\n  scrape_interval: 30s\n- {job_name: b, scrape_timeout: 5s}\n"


def check(command: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.yml"
    path.write_text(text)
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", command, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def promtool_major() -> int:
    assert PROMTOOL is not None
    said = subprocess.run([PROMTOOL, "--version"], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"version (\d+)\.", said.stdout + said.stderr)
    assert found, said
    return int(found[1])


def for_this_promtool(text: str) -> str:
    """Without the one rule whose quoted names only Prometheus 3 reads."""
    if promtool_major() >= 3:
        return text
    start = text.index("      - alert: Unicode")
    return text[:start] + text[text.index("      - record:") :]


@needs_promtool
@pytest.mark.parametrize("speed", [7, 15, 60])
def test_promtool_accepts_the_compressed_rules(speed: float, tmp_path: Path) -> None:
    check("rules", compress_rules(for_this_promtool(RULES), speed, min_for_s=None), tmp_path)


@needs_promtool
@pytest.mark.parametrize("text", ["", CONFIG, "global:\n", "global: {evaluation_interval: 15s}\n" + CONFIG])
def test_promtool_accepts_the_compressed_configuration(text: str, tmp_path: Path) -> None:
    check("config", compress_prometheus_config(text, 15), tmp_path)
