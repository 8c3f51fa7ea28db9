"""`lab lint smoke` would have stopped each deployment that loses the metrics, and lets each fixed one pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.catalog import find
from lab.rag.local import running

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
NAME = "missing_metrics"
METRIC = "rag_queries_total"
SABOTAGE = Path(__file__).resolve().parent.parent / "sabotage" / NAME
SAYS = {
    "server_not_started": "Connection refused; nothing serves metrics there [page]",
    "instrumentation_removed": f"{METRIC}: missing",
    "metric_renamed": f"{METRIC}: missing; there is rag_requests_total [required]",
    "endpoint_500": "HTTP 500; a metrics page answers 200 [page]",
    "endpoint_hangs": "no whole page within 1 s; Prometheus says: context deadline exceeded [page]",
    "wrong_content_type": "Content-Type text/html; charset=utf-8; not a metrics page, it begins: <!DOCTYPE html>",
}


def smoke(variant: str, what: str, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of the smoke test against a service with a deployment's metrics."""
    patience = "1" if (variant, what) == ("endpoint_hangs", "broken") else "20"
    return smoke_of(find(f"{NAME}:{variant}").place(what), "--timeout", patience, *options)


def smoke_of(place: Path, *options: str) -> tuple[int, str, str]:
    """The same for a folder."""
    with running("--metrics", str(place / "metrics.py")) as service:
        argv = [sys.executable, "-m", "lab", "lint", "smoke", service.metrics_url, *options]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_every_variant_is_tested() -> None:
    assert set(SAYS) == set(find(NAME).variants)


@pytest.mark.parametrize("variant", SAYS)
def test_a_broken_deployment_is_stopped_with_one_clear_line(variant: str) -> None:
    code, said, errors = smoke(variant, "broken", "--require", METRIC)
    assert (code, errors) == (1, "")
    assert said.count("\n") == 1
    assert SAYS[variant] in said


@pytest.mark.parametrize("variant", SAYS)
def test_the_fixed_one_passes(variant: str) -> None:
    code, said, errors = smoke(variant, "fixed", "--require", METRIC)
    # A counter with labels has no samples until there is a query, unless the label sets are created at the start.
    assert (code, errors) == (0, ""), said
    assert said.endswith("all there\n")


def test_a_page_that_only_prometheus_refuses_is_stopped() -> None:
    """It asks for OpenMetrics; whoever asks for text gets a page that is well."""
    code, said, _ = smoke_of(SABOTAGE / "free_comment", "--require", METRIC)
    assert code == 1
    assert "line 1: no comment of OpenMetrics, which Prometheus asks for: # build unknown" in said


@pytest.mark.parametrize("variant", ["instrumentation_removed", "metric_renamed"])
def test_without_a_required_metric_the_quiet_ones_pass(variant: str) -> None:
    """Why `--require` is part of the lesson: the page itself is fine."""
    assert smoke(variant, "broken")[0] == 0
