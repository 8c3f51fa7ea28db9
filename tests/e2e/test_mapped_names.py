"""An answer in the names of the learner's own service, on real servers: judged as one in ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_run import run_lab

pytestmark = [pytest.mark.e2e, pytest.mark.whole]
THEIRS = Path(__file__).resolve().parent.parent / "answers" / "missing_metrics" / "other_names"
RULES = ("--detect", str(THEIRS / "rules.yml"))
TARGET = "missing_metrics:instrumentation_removed"
JOB = ("--map", "rag=shop")


def test_rules_and_a_fix_under_other_names_pass(tmp_path: Path) -> None:
    mapped = ("--map", "rag_queries_total=shop_questions_total")
    ran = run_lab(tmp_path, TARGET, *RULES, "--fix", str(THEIRS / "fix"), *JOB, *mapped)
    assert ran.code == 0, ran.told[-3000:]
    assert ran.outcome["alerts"]["raised"] == ["ShopNotCounting"]
    assert "shop_questions_total" in ran.check("QueriesNotCounted names rag_queries_total")["observed"]
    assert ran.check("smoke test passes")["result"] == "pass"


def test_a_name_that_stands_for_the_wrong_one_fails_and_is_told(tmp_path: Path) -> None:
    wrong = ("--map", "rag_errors_total=shop_questions_total")
    ran = run_lab(tmp_path, TARGET, *RULES, *JOB, *wrong)
    assert (ran.code, ran.failed()[0]) == (1, "QueriesNotCounted delivered"), ran.told[-3000:]
    assert "shop_questions_total as rag_errors_total" in ran.told
