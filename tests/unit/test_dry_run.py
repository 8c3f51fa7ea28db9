"""`lab run --dry-run` refuses what the run would refuse, in the same words, and touches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lab.cli import run_cli

ONE = ("run", "cardinality", "--runtime", "native")
SEVERAL = ("run", "cardinality", "--all-variants", "--runtime", "native")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each time that what dead runs left is removed."""
    found: list[str] = []
    monkeypatch.setattr("lab.commands.run.sweep", lambda: found.append("swept"))
    return found


@pytest.mark.parametrize("command", [ONE, SEVERAL])
def test_it_removes_nothing(command: Sequence[str], swept: list[str], tmp_path: Path) -> None:
    assert run_cli([*command, "--dry-run", "--json", "out.json", "--junit", "out.xml"]) == 0
    assert swept == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("out", "runs"))]


@pytest.mark.parametrize(
    ("command", "environment", "speeds"),
    [
        (["run", "all"], {}, {"20"}),
        (["run", "all", "--speed", "15"], {}, {"15"}),
        (["run", "all"], {"LAB_SPEED": "12"}, {"12"}),
        (["run", "all-service"], {}, {"15"}),
        (["run", "cardinality"], {}, {"15"}),
        (["run", "missing_metrics", "--all-variants"], {}, {"15"}),
    ],
)
def test_all_of_them_go_as_fast_as_each_can_where_nobody_says(
    command: Sequence[str],
    environment: Mapping[str, str],
    speeds: set[str],
    swept: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run_cli([*command, "--dry-run"]) == 0
    assert set(re.findall(r"speed ([\d.]+),", capsys.readouterr().out)) == speeds


@pytest.mark.parametrize("dry", [("--dry-run",), ()])
@pytest.mark.parametrize(("command", "options", "said"), [
    (ONE, ("--solution",), "--solution: is the way from your answer to ours; there is none"),
    (ONE, ("--json", "nowhere/x.json"), "--json nowhere/x.json: No such file or directory"),
    (ONE, ("--junit", "nowhere/x.xml"), "--junit nowhere/x.xml: No such file or directory"),
    (SEVERAL, ("--json", "nowhere/x.json"), "--json nowhere/x.json: No such file or directory"),
    (SEVERAL, ("--junit", "nowhere/x.xml"), "--junit nowhere/x.xml: No such file or directory"),
    (ONE, ("--fix", "mine"), "mine/metrics.py:1: "), (SEVERAL, ("--fix", "mine"), "mine/metrics.py:1: "),
    (ONE, ("--stage", "--quiet"), "--stage: it is there to tell; leave --quiet away"),
    (ONE, ("--auto", "1"), "--auto: says how long --stage waits; add --stage"),
    (SEVERAL, ("--auto", "0"), "--auto: says how long --stage waits; add --stage"),
    (ONE, ("--worker-wait", "120"), "--worker-wait: is how long workers are awaited; add --expect-workers N"),
    (SEVERAL, ("--worker-wait", "9"), "--worker-wait: is how long workers are awaited; add --expect-workers N"),
])  # fmt: skip
def test_what_the_run_refuses(
    command: Sequence[str],
    options: Sequence[str],
    said: str,
    dry: Sequence[str],
    swept: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def execute(*_: object) -> None:
        raise AssertionError("a run was begun")

    monkeypatch.setattr("lab.commands.run._execute", execute)
    Path("mine").mkdir()
    Path("mine/metrics.py").write_text("def metrics(\n")
    assert run_cli([*command, *options, *dry]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
