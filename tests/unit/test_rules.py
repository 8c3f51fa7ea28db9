"""Every rule file is tested by promtool, and each test file is seen to fail on rules that were changed.

The tests of a rule are those entries whose `name` begins with the alert's; where a file has no such entry, all.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.install import BinaryError, find
from lab.timescale import Duration, compress_rules

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted((ROOT / "compose" / "prometheus").glob("tests/*.test.yml"))
KINDS = ("*", "service/*")
TESTS = OURS + [path for of in KINDS for path in sorted((ROOT / "scenarios").glob(f"{of}/detect.test.yml"))]
SPEED = 15.0
RUNBOOKS = "https://github.com/monitoring-failure-lab/lab/blob/main/docs/alerts/"

SPECIFIED = {
    "HighErrorRate": ("1m", "critical", "console, slack"),
    "LowCacheHitRate": ("5m", "warning", "console"),
    "HighLatencyP95": ("2m", "warning", "console, slack"),
    "CostSpike": ("5m", "critical", "console, slack, email"),
    "RateLimitClose": ("1m", "warning", "console"),
    "ResponseQualityLow": ("5m", "warning", "console"),
}
"""The service's alerts: `for`, severity, channels."""

TOKEN = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|[A-Za-z_:][\w:]*|[<>=!]=|[<>]|\d+(?:\.\d+)?')
OTHER_WAY = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}


@functools.cache
def promtool() -> str:
    try:
        return str(find("promtool").path)
    except BinaryError as error:
        pytest.skip(str(error))


def run_promtool(*arguments: str | Path) -> tuple[int, str]:
    command = [promtool(), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@functools.cache
def load(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def rules_of(test: Path) -> Path:
    (name,) = load(test)["rule_files"]
    return (test.parent / str(name)).resolve()


def alerts_of(rules: Path) -> list[dict[str, Any]]:
    return [rule for group in load(rules)["groups"] for rule in group["rules"] if "alert" in rule]


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Mutations: each changes one thing in one rule.


@dataclass(frozen=True)
class Mutation:
    test: Path
    alert: str
    what: str
    rule: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.test.parent.name}/{self.test.stem.removesuffix('.test')}:{self.alert}: {self.what}"


def with_token(expr: str, found: re.Match[str], token: str) -> dict[str, str]:
    return {"expr": expr[: found.start()] + token + expr[found.end() :]}


def changes(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    expr = str(rule["expr"])
    yield "never true", {"expr": f"({expr}) unless on () vector(1)"}
    yield "no severity", {"labels": {k: v for k, v in rule["labels"].items() if k != "severity"}}
    if "for" in rule:
        seconds = Duration.parse(str(rule["for"])).seconds
        for changed in (seconds - 15, seconds + 15):
            yield f"for: {changed:g}s", {"for": f"{changed:g}s"}
    found = list(TOKEN.finditer(expr))
    if not any(token[0] in OTHER_WAY for token in found):
        return
    for token in found:
        where = f"at {token.start()}"
        if token[0] in OTHER_WAY:
            yield f"{OTHER_WAY[token[0]]} {where}", with_token(expr, token, OTHER_WAY[token[0]])
        elif token[0][0].isdigit():
            number = float(token[0])
            # Beginnings are counted in whole numbers: 20 % of two are none.
            closest = (number - 1, number + 1) if "changes(" in expr else (number * 0.8, number * 1.25)
            for changed in closest if number else (1.0,):
                yield f"{changed:g} {where}", with_token(expr, token, f"{changed:g}")
        elif token[0][0] == "[":
            longer = f"[{5 * Duration.parse(token[0][1:-1]).seconds:g}s]"
            yield f"{longer} {where}", with_token(expr, token, longer)


def mutations() -> list[Mutation]:
    return [
        Mutation(test, rule["alert"], what, {**rule, **change})
        for test in TESTS
        for rule in alerts_of(rules_of(test))
        for what, change in changes(rule)
    ]


def run_alone(test: Path, rule: dict[str, Any], folder: Path) -> tuple[int, str]:
    """The tests of one rule against that rule alone, as it is given here."""
    document = load(test)
    own = [entry for entry in document["tests"] if str(entry.get("name", "")).startswith(rule["alert"])]
    document = {**document, "tests": own or document["tests"], "rule_files": ["rules.yml"]}
    groups = [{"name": "alone", "rules": [rule]}]
    # JSON is YAML, too, and quick.
    (folder / "rules.yml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    (folder / "rules.test.yml").write_text(json.dumps(document), encoding="utf-8")
    return run_promtool("test", "rules", folder / "rules.test.yml")


# The tests


@pytest.mark.parametrize("test", TESTS, ids=label)
def test_promtool_agrees(test: Path):
    code, said = run_promtool("test", "rules", test)
    assert code == 0, said


@pytest.mark.parametrize("test", TESTS, ids=label)
def test_each_rule_passes_its_tests_alone(test: Path, tmp_path: Path):
    for rule in alerts_of(rules_of(test)):
        code, said = run_alone(test, rule, tmp_path)
        assert code == 0, said


@pytest.mark.parametrize("mutation", mutations(), ids=str)
def test_a_changed_rule_is_noticed(mutation: Mutation, tmp_path: Path):
    code, said = run_alone(mutation.test, mutation.rule, tmp_path)
    assert code != 0, "the tests pass although the rule was changed"
    assert "got:" in said, f"not a test that failed, but: {said}"


def test_every_rule_file_has_its_tests():
    everywhere = [
        *(ROOT / "compose/prometheus").glob("*rules/*.yml"),
        *(path for of in KINDS for path in (ROOT / "scenarios").glob(f"{of}/detect.rules.yml")),
    ]
    rules = {path for path in everywhere if not path.name.endswith(".test.yml")}
    assert rules == {rules_of(test) for test in TESTS}


@pytest.mark.parametrize("min_scrapes", [3, 5])
@pytest.mark.parametrize("test", TESTS, ids=label)
def test_rules_survive_compression(test: Path, min_scrapes: int, tmp_path: Path):
    rules = rules_of(test)
    shorter = compress_rules(rules.read_text(encoding="utf-8"), SPEED, filename=str(rules), min_scrapes=min_scrapes)
    (tmp_path / "rules.yml").write_text(shorter, encoding="utf-8")
    code, said = run_promtool("check", "rules", tmp_path / "rules.yml")
    assert code == 0, said


@pytest.mark.parametrize("test", OURS, ids=label)
def test_every_alert_says_what_it_is_and_what_to_do(test: Path):
    for rule in alerts_of(rules_of(test)):
        name, annotations = rule["alert"], rule["annotations"]
        assert annotations["summary"], name
        assert annotations["description"], name
        assert annotations["runbook_url"] == f"{RUNBOOKS}{name}.md"
        page = (ROOT / "docs" / "alerts" / f"{name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {name}\n")


def test_no_page_without_its_alert():
    alerts = {rule["alert"] for test in OURS for rule in alerts_of(rules_of(test))}
    assert alerts == {page.stem for page in (ROOT / "docs" / "alerts").glob("*.md")} - {"README"}


def test_the_service_alerts_are_those_specified():
    service = alerts_of(ROOT / "compose" / "prometheus" / "rules" / "service.yml")
    found = {r["alert"]: (r["for"], r["labels"]["severity"], r["labels"]["channels"]) for r in service}
    assert found == SPECIFIED
