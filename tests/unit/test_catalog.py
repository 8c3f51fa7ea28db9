"""Scenarios and deployments found and loaded; what is wrong is one line with its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.catalog import alerts_in, find, names
from lab.deployment import FILES, MAX_FILE, load
from lab.errors import LabError, RulesError, ScenarioError
from lab.lesson import diff_text, lesson_text
from lab.plan import copy_scenario, make_run_dir

GOOD = """
from __future__ import annotations
from dataclasses import dataclass
from lab.scenario import Load, Scenario

@dataclass(frozen=True)
class Mine:
    limit: int = 3

SCENARIO = Scenario("mine", "t", Load(), (), (), (), (), alerts=(f"A{Mine().limit}",))
"""


def folder(tmp_path: Path, text: str, name: str = "mine") -> Path:
    (tmp_path / name).mkdir()
    (tmp_path / name / "scenario.py").write_text(text)
    return tmp_path / name


@pytest.mark.parametrize("ending", ["", "/", "/scenario.py"])
def test_a_folder_is_a_scenario(ending: str, tmp_path: Path) -> None:
    found = find(f"{folder(tmp_path, GOOD)}{ending}")
    assert (found.scenario.name, found.scenario.alerts, found.bundled) == ("mine", ("A3",), False)
    assert found.folder == tmp_path / "mine"


def test_a_bundled_one_has_a_name_and_its_siblings_rules() -> None:
    found = find("cardinality")
    assert found.bundled
    assert {path.parent.name for path in found.rules().values()} == {
        name for name in names() if (found.folder.parent / name / "detect.rules.yml").is_file()
    }
    assert {name.split("/")[0] for name in found.rules()} <= {"observer-rules", "rules"}


def test_one_of_the_users_has_its_own_rules_alone(tmp_path: Path) -> None:
    mine = folder(tmp_path, GOOD)
    (mine / "detect.rules.yml").write_text("groups: []")
    folder(tmp_path, GOOD, "beside")
    (tmp_path / "beside" / "detect.rules.yml").write_text("groups: []")
    assert list(find(str(mine)).rules().values()) == [mine / "detect.rules.yml"]


def test_the_path_of_a_bundled_one_is_as_good_as_its_name() -> None:
    assert find(str(find("cardinality").folder)).bundled


@pytest.mark.parametrize(("target", "said"), [
    ("cardinalty", "did you mean cardinality?"), ("xyzzy", "known: "), ("../../etc", "no scenario.py in it"),
    ("nope", "no such scenario; known: .*cost_spike"),
    ("/etc/passwd", "no scenario.py in it"), ("..", "no scenario.py in it"), ("", "no scenario.py in it"),
    ("a" * 5000, "too long"),
])  # fmt: skip
def test_what_is_no_scenario(target: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        find(target)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("x = 1\nraise RuntimeError('boom')", ":2: RuntimeError: boom"), ("x = 1\n\ny = (", ":3: SyntaxError"),
    ("import no_such_module", ":1: ModuleNotFoundError"), ("x = 1", "defines no SCENARIO"),
    ("SCENARIO = 3", "defines no SCENARIO"), ("import sys\nsys.exit(0)", ":2: SystemExit: 0"),
    ("def f():\n    return 1 / 0\nf()", ":2: ZeroDivisionError"),
])  # fmt: skip
def test_a_file_that_does_not_load_names_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        find(str(folder(tmp_path, text)))
    assert f"mine/scenario.py{said}" in str(caught.value) or said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_loading_leaves_no_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    find(str(folder(tmp_path, GOOD)))
    assert not (tmp_path / "mine" / "__pycache__").exists()
    assert sys.dont_write_bytecode is False


@pytest.mark.parametrize(("text", "expected"), [
    ("groups:\n- rules:\n  - {alert: A}\n  - {record: x}\n  - {alert: B}\n  - {alert: A}", ("A", "B")),
    ("", ()), ("groups:", ()), ("groups: []", ()),
])  # fmt: skip
def test_alerts_in_rules(text: str, expected: tuple[str, ...]) -> None:
    assert alerts_in({"r.yml": text}) == expected


@pytest.mark.parametrize("text", ["just text", "groups: 3", "groups: [", "- a", "groups: [3]"])
def test_what_is_no_rule_file_is_named(text: str) -> None:
    with pytest.raises(RulesError, match=r"^r\.yml: not a Prometheus rules file") as caught:
        alerts_in({"r.yml": text})
    assert "\n" not in str(caught.value)


# Deployments


def test_a_deployment_is_its_files(tmp_path: Path) -> None:
    for name in ("metrics.py", "rules.yml", "NOTES.md", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "__pycache__").mkdir()
    found = load("fixed", tmp_path)
    assert sorted(found.files) == ["metrics.py", "rules.yml"]
    assert found.prometheus_rules()["rules/deployed.yml"] == "rules.yml"
    assert "scrape_configs" in found.prometheus_config(), "what it lacks is the healthy stack's"


@pytest.mark.parametrize("name", ["metric.py", "Metrics.py", "prometheus.yaml", "notes.txt"])
def test_a_foreign_file_is_named_with_what_may_be_there(name: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.py").touch()
    (tmp_path / name).touch()
    with pytest.raises(ScenarioError, match=f"{name}: not a file of a deployment") as caught:
        load("fixed", tmp_path)
    assert all(known in str(caught.value) for known in FILES)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.py").mkdir()
    with pytest.raises(ScenarioError, match="not a file of a deployment"):
        load("fixed", tmp_path)


def test_a_file_of_a_deployment_has_a_bound(tmp_path: Path) -> None:
    with (tmp_path / "rules.yml").open("wb") as file:
        file.truncate(MAX_FILE)
    assert load("fixed", tmp_path).files
    with (tmp_path / "rules.yml").open("ab") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ScenarioError, match=r"rules.yml: more than 4 MiB"):
        load("fixed", tmp_path)


@pytest.mark.parametrize("only", [None, "README.md"])
def test_an_empty_deployment_would_prove_nothing(only: str | None, tmp_path: Path) -> None:
    if only:
        (tmp_path / only).touch()
    with pytest.raises(ScenarioError, match="empty"):
        load("fixed", tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such folder"):
        load("fixed", tmp_path / "gone")


# The lesson


def test_the_diff_runs_from_broken_to_fixed(tmp_path: Path) -> None:
    mine = folder(tmp_path, GOOD)
    for what, text in (("broken", "a\nb\n"), ("fixed", "a\nc\n")):
        (mine / what).mkdir()
        (mine / what / "metrics.py").write_text(text)
    (mine / "fixed" / "rules.yml").write_text("new\n")
    text = diff_text(find(str(mine)))
    assert "--- broken/metrics.py\n+++ fixed/metrics.py\n" in text
    assert "-b\n+c\n" in text
    assert "+new\n" in text


def test_without_a_lesson_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"README\.md"):
        lesson_text(tmp_path)


# The folder of a run


def test_two_runs_of_one_second_have_their_own_folders(tmp_path: Path) -> None:
    made = [make_run_dir(tmp_path, "x") for _ in range(3)]
    assert len(set(made)) == 3
    assert all(path.is_dir() and path.parent == tmp_path / "x" for path in made)


def test_a_run_that_is_kept_in_its_scenarios_folder_is_not_copied_into_itself(tmp_path: Path) -> None:
    (tmp_path / "scenario.py").write_text("x")
    run_dir = make_run_dir(tmp_path, "x")
    copy_scenario(tmp_path, run_dir)
    assert (run_dir / "scenario" / "scenario.py").read_text() == "x"
    assert not (run_dir / "scenario" / "x" / run_dir.name).exists()


@pytest.mark.parametrize("out", ["file", "file/sub"])
def test_a_file_in_the_way_of_out(out: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="--out") as caught:
        make_run_dir(tmp_path / out, "x")
    assert caught.value.exit_code == 2


def test_a_file_in_the_way_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(LabError, match="--out"):
        make_run_dir(tmp_path, "x")
    assert (tmp_path / "x").is_file()
