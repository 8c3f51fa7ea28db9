"""What a learner is told when an answer fails: a hint for each failed check, and the solution on request."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from histories import HEADER
from kept_runs import kept
from test_layout import SCENARIOS
from test_recorded import EXPECTED, judged

from lab.answer import KEPT_RULES, Answer, answer_of, stored_answer
from lab.catalog import Found, all_names, find, names
from lab.cli import run_cli
from lab.errors import ScenarioError
from lab.hints import COMMON, hints_for, hints_in
from lab.judge import Judgement, PhaseResult
from lab.phases import checks_of
from lab.scenario import CheckResult, Mode, Phase, Result, Verdict

ROOT = Path(__file__).resolve().parent.parent.parent
SABOTAGE = ROOT / "tests" / "sabotage"
FOLDERS = [*SCENARIOS, ROOT / "scenarios" / "starter" / "my_scenario"]
OURS_TO_EXPLAIN = (
    "* fire/resolve pair*", "alert fatigue", "head series > *", "prometheus *", "up of rag *", "observer's own *",
    "memory of rag grows", "rag killed*", "scrapes of rag *", "rag down", "rag_queries_total gone", "rag quietly up",
    "smoke test stops the release", "viewers wait *", "dashboard says*", "panels show errors", "* raised",
    "TargetDown *", "over * of requests fail", "nobody is told", "dollars burnt", "rag says that it is not ready",
    "share of failed queries *",
)  # fmt: skip
"""Checks about the fault itself, and about what the lab does: no answer can fail them."""


def checks(found: Found) -> dict[str, Phase]:
    """Names of all checks of a scenario's variants that an answer can fail."""
    header = replace(HEADER, own_alerts=found.scenario.alerts)
    every = {
        check.name: phase
        for variant in found.variants
        for phase in Phase
        for check in checks_of(found.of(variant).scenario, header, phase)
    }
    return {n: p for n, p in every.items() if n in hints_in(found.folder) or not fits(n, OURS_TO_EXPLAIN)}


def fits(name: str, patterns: Any) -> bool:
    return any(fnmatchcase(name, pattern) or name == pattern for pattern in patterns)


def failing(name: str, phase: Phase = Phase.FIXED) -> Judgement:
    result = CheckResult(name, Mode.EVENTUALLY, "e", "o", Result.FAIL)
    return Judgement((PhaseResult(phase, 0.0, 1.0, (result,)),), Verdict.FAIL, "r")


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_every_check_that_an_answer_can_fail_has_a_hint(folder: Path) -> None:
    own = hints_in(folder)
    without = [name for name in checks(find(str(folder))) if not hints_for(failing(name), own)]
    assert not without


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_every_hint_is_about_a_check(folder: Path) -> None:
    known = checks(find(str(folder)))
    assert hints_in(folder)
    assert not [pattern for pattern in hints_in(folder) if not any(fits(name, [pattern]) for name in known)]


def test_the_labs_own_hints_are_about_its_own_checks() -> None:
    scenario = find("cardinality").scenario
    every = {check.name for phase in Phase for check in checks_of(scenario, HEADER, phase)}
    assert set(COMMON) <= every


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_a_hint_leads_and_does_not_give_it_away(folder: Path) -> None:
    """No hint has a line of what the solution adds, nor its rule's expression; most of them ask."""
    found = find(str(folder))
    theirs = {line.strip() for f in found.deployment("broken").files.values() for line in f.read_text().splitlines()}
    added = {line.strip() for f in found.deployment("fixed").files.values() for line in f.read_text().splitlines()}
    given_away = [line for line in added - theirs if len(line) > 12]
    given_away += re.findall(
        r"(?:deriv|changes|increase|histogram_quantile)\(\w+", (folder / "detect.rules.yml").read_text()
    )
    hints = hints_in(folder)
    assert not [(name, line) for name, text in hints.items() for line in given_away if line in text]
    assert sum("?" in text for text in hints.values()) >= 0.5 * len(hints)


@pytest.mark.parametrize("name", [n for n, (verdict, _) in EXPECTED.items() if verdict is Verdict.FAIL])
def test_a_recorded_wrong_answer_gets_a_hint(name: str) -> None:
    """Plausible wrong answers, run on real servers. One whose fault is none has no answer to hint at."""
    judgement, _ = judged(name)
    hints = hints_for(judgement, hints_in(find(name.split("/")[0]).folder))
    assert bool(hints) is not name.endswith("/healthy")
    failed = {r.name for r in judgement.results() if r.result is Result.FAIL}
    assert {hint.check for hint in hints} <= failed


PLAUSIBLE = {
    "cardinality/drops_only_user_id": "can a single new query still give a value that nobody has",
    "cardinality/drops_only_query_text": "can a single new query still give a value that nobody has",
    "cardinality/no_rules": "Where does its time go",
    "cardinality/always_fires": "What does it see that is true of the healthy service",
    "alert_storm/muted_route": "Which route does the alert take, who is at its end",
    "alert_storm/threshold_5s": "Being deaf counts like being loud",
    "alert_storm/removed_rule": "Being deaf counts like being loud",
    "alert_storm/no_rules": "What tells one long alert from one that begins again",
    "label_leak/request_id": "in which label has the second a value that the first had not",
    "label_leak/clears": "The histogram does not count as many queries as are answered",
    "label_leak/restarts": "What is different a minute after the restart",
    "label_leak/no_rules": "Where does its time go",
    "slow_queries/emptied_dashboard": "A panel that was there is gone",
    "slow_queries/constant_panels": "what did the old panel add up, over which series, and what does yours",
    "slow_queries/wrong_record": "in what is added up, in what is averaged",
    "slow_queries/no_rules": "what is a time-out in that figure",
    "missing_metrics/constant": "it does not count queries. Ask ten questions and read its line before and after",
    "missing_metrics/frozen": "which of them move, and which stand still",
    "missing_metrics/rate_is_zero": "What is the result when the metric is not there: 0, or nothing at all",
    "missing_metrics/no_rules": "What is the result when the metric is not there",
}
"""Wrong answers that a learner may well give, each run on real servers, and what leads on from it."""


@pytest.mark.parametrize("name", PLAUSIBLE)
def test_a_hint_is_about_what_is_wrong_with_the_answer(name: str) -> None:
    judgement, _ = judged(name)
    hints = hints_for(judgement, hints_in(find(name.split("/")[0]).folder))
    assert any(PLAUSIBLE[name] in hint.text for hint in hints), [hint.text for hint in hints]
    assert len(hints) <= 3, "one who is told everything is told nothing"


def test_three_plausible_wrong_answers_of_each_scenario_were_tried() -> None:
    tried = [name.split("/")[0] for name in PLAUSIBLE]
    assert min(tried.count(name) for name in names() if find(name).scenario.kind == "monitoring") >= 3


def test_the_same_hint_comes_once() -> None:
    twice = Judgement((*failing("a x").phases, *failing("a y").phases), Verdict.FAIL, "r")
    assert [hint.check for hint in hints_for(twice, {"a *": "why?"})] == ["a x"]


def test_what_passes_or_could_not_be_judged_gets_none() -> None:
    for result in (Result.PASS, Result.INCONCLUSIVE, Result.SKIPPED):
        phase = failing("x").phases[0]
        judgement = Judgement((replace(phase, results=(replace(phase.results[0], result=result),)),), Verdict.FAIL, "")
        assert hints_for(judgement, {"x": "why?"}) == []


@pytest.mark.parametrize("text", ["- a", "a: 3", "3: a", "a: [", "just text"])
def test_what_is_no_file_of_hints_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "hints.yml").write_text(text)
    with pytest.raises(ScenarioError, match=r"hints\.yml") as caught:
        hints_in(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_scenario_without_hints_has_the_labs_own(tmp_path: Path) -> None:
    assert hints_in(tmp_path) == {}
    assert hints_for(failing("nobody notified"), {})


# What is said after a run


def stored(tmp_path: Path, name: str, *, fix: Path | None = None, rules: Path | None = None) -> Path:
    """The folder of a run of an answer."""
    run = kept(tmp_path, name)
    shutil.copytree(ROOT / "scenarios" / name.split("/")[0], run / "scenario")
    if fix:
        shutil.copytree(fix, run / "fix")
    if rules:
        shutil.copyfile(rules, run / KEPT_RULES)
    return run


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run_cli([*argv, "--no-color"])
    return code, capsys.readouterr().err


def test_a_wrong_fix_gets_its_hints_and_not_the_solution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fix = SABOTAGE / "cardinality" / "drops_only_user_id"
    code, err = said(capsys, "analyze", str(stored(tmp_path, "cardinality/drops_only_user_id", fix=fix)))
    assert code == 1
    assert "fixed, MetricCardinalityExplosion resolved\n" in err
    assert "Which labels of your counter" in " ".join(err.split())
    assert "+++" not in err


def test_the_solution_is_the_diff_to_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fix = SABOTAGE / "cardinality" / "drops_only_user_id"
    run = stored(tmp_path, "cardinality/drops_only_user_id", fix=fix)
    code, err = said(capsys, "analyze", str(run), "--solution")
    assert code == 1
    assert "--- yours/metrics.py\n+++ fixed/metrics.py\n" in err
    assert '+            ["cache_status", "model", "status"],\n' in err
    assert "\nhints" not in err


def test_rules_that_see_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored(tmp_path, "slow_queries/no_rules", rules=SABOTAGE / "no_rules.yml")
    code, err = said(capsys, "analyze", str(run))
    assert code == 1
    assert "what is a time-out in that figure?" in " ".join(err.split())
    _, err = said(capsys, "analyze", str(run), "--solution")
    assert "--- yours/detect.rules.yml\n+++ detect.rules.yml\n" in err
    assert "+      - alert: PrometheusQueriesSlow\n" in err


def test_our_own_run_gets_no_hints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored(tmp_path, "alert_storm/noop")
    assert "\nhints" not in said(capsys, "analyze", str(run))[1]
    code, err = said(capsys, "analyze", str(run), "--solution")
    assert code == 2
    assert "give --fix or --detect" in err


def test_a_right_answer_gets_no_hints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = ROOT / "scenarios" / "cardinality" / "fixed"
    run = stored(tmp_path, "cardinality/pass", fix=fixed)
    code, err = said(capsys, "analyze", str(run))
    assert (code, "\nhints" in err) == (0, False)
    assert "no difference to ours" in said(capsys, "analyze", str(run), "--solution")[1]


def test_nothing_in_an_answer_moves_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fix = tmp_path / "mine"
    fix.mkdir()
    (fix / "metrics.py").write_text("# \x1b[2J [bold]x[/bold]\n")
    run = stored(tmp_path, "cardinality/noop", fix=fix)
    _, err = said(capsys, "analyze", str(run), "--solution")
    assert "-# \ufffd[2J [bold]x[/bold]\n" in err


# Before a run


def plan(detect: str | None = None, fix: Path | None = None) -> Any:
    """As much of a plan as an answer needs."""
    found = find("missing_metrics")
    rules = {"rules/yours.yml": detect or ""}
    options = SimpleNamespace(fix=fix, detect=Path("mine.yml") if detect else None)
    fixed = SimpleNamespace(files={"metrics.py": fix / "metrics.py"} if fix else {})
    return SimpleNamespace(found=found, scenario=found.scenario, detect_rules=rules, options=options, fixed=fixed)


def test_rules_are_kept_as_they_were_written(tmp_path: Path) -> None:
    answer = answer_of(plan("groups: [] # mine\n"))
    answer.keep(tmp_path)
    assert stored_answer(find("missing_metrics"), tmp_path).rules == "groups: [] # mine\n"


def test_without_an_answer_nothing_is_kept(tmp_path: Path) -> None:
    answer: Answer = answer_of(plan())
    answer.keep(tmp_path)
    assert not answer.given
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argv", [["run", "all"], ["run", "cardinality", "--all-variants"]])
def test_the_solution_is_for_one_run(argv: list[str], capsys: pytest.CaptureFixture[str], state: Path) -> None:
    assert run_cli([*argv, "--solution"]) == 2
    assert "--solution: is for one run" in capsys.readouterr().err


def test_the_solution_of_no_answer_is_refused_before_the_run(
    capsys: pytest.CaptureFixture[str], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.runner.Run.execute", lambda _: pytest.fail("it was started"))
    assert run_cli(["run", "cardinality", "--solution"]) == 2
    assert "give --fix or --detect" in capsys.readouterr().err


def test_every_scenario_is_covered() -> None:
    assert {folder.name for folder in SCENARIOS} == set(all_names())
