"""CONTRIBUTING.md walked through on real servers: each step fails for the reason that it prints, until it passes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB, run_lab
from rules_stack import binary
from walk import WALK, do

pytestmark = [pytest.mark.e2e, pytest.mark.whole]
NO_RULES = Path(__file__).resolve().parent.parent / "sabotage" / "no_rules.yml"


def test_a_new_scenario_is_made_as_the_page_says(tmp_path: Path) -> None:
    mine = tmp_path / "query-ids"
    subprocess.run([*LAB, "new", str(mine)], check=True, timeout=30)
    begun, undetected = re.findall(r"^ +FAIL: (.+)$", WALK, re.MULTILINE)

    def run(*args: str) -> tuple[int, str]:
        ran = run_lab(tmp_path, str(mine), *args, tries=3 if "--users" not in args else 1)
        return ran.code, ran.told

    code, told = run()
    assert (code, f"FAIL: {begun}" in told) == (1, True), told[-2000:]
    do(mine, "broken/metrics.py")
    code, told = run()
    assert (code, f"FAIL: {undetected}" in told) == (1, True), told[-2000:]
    do(mine, "detect.rules.yml", "detect.test.yml")
    promtool = [str(binary("promtool").path), "test", "rules", "detect.test.yml"]
    subprocess.run(promtool, cwd=mine, check=True, timeout=60)
    code, told = run()
    assert code == 0, told[-3000:]
    assert run("--fix", str(mine / "broken"))[0] == 1
    assert run("--detect", str(NO_RULES))[0] == 1
    assert run("--users", "0")[0] == 3
    code, told = run("--control")
    assert code == 0, told[-3000:]
