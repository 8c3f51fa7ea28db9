"""A hundred thousand series from replicas of the service: seen, measured, cured; and no no-op fix is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_run import run_lab

pytestmark = pytest.mark.e2e
SCALE = ("cardinality", "--scale", "class", "--runtime", "native")
DEADLINE_S = 420.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.whole
def test_a_hundred_thousand_series_are_seen_and_measured(tmp_path: Path) -> None:
    ran = run_lab(tmp_path, *SCALE, deadline_s=3 * DEADLINE_S)
    assert ran.code == 0, ran.told
    found = ran.outcome["measured"]
    assert found["series"] > 97_000
    assert found["bytes_per_series"] > 1000
    assert found["samples_per_s"] > 0.5 * found["series"] / (15 / ran.outcome["speed"])
    assert found["peak_rss_bytes"]["rag-1"] > 0
    assert "bytes each" in ran.told


@pytest.mark.sabotage
def test_a_fix_that_fixes_nothing_fails_at_a_scale_too(tmp_path: Path) -> None:
    broken = ROOT / "scenarios" / "cardinality" / "broken"
    ran = run_lab(tmp_path, *SCALE, "--fix", str(broken), deadline_s=3 * DEADLINE_S)
    assert ran.code == 1, ran.told
    # Both are true of it; the phase ends with the first whose time is over.
    assert set(ran.failed()) & {"head series < 10,000", "MetricCardinalityExplosion resolved"}
