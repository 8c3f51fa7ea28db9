"""Bad input: one clear line that names the file, the place and the remedy; exit 2; nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from lab_run import LAB

pytestmark = [pytest.mark.e2e, pytest.mark.beside]


def lab(tmp: Path, *args: str, **env: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command in an empty folder."""
    done = subprocess.run(
        [*LAB, *args],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp,
        env={**os.environ, "LAB_STATE_DIR": str(tmp / "state"), **env},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def refused(tmp: Path, *args: str, **env: str) -> str:
    """The one line of a refusal."""
    code, out, err = lab(tmp, *args, **env)
    assert (code, out) == (2, ""), err
    assert not (tmp / "runs").exists()
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def scenario(folder: Path, text: str) -> str:
    folder.mkdir()
    (folder / "scenario.py").write_text(text)
    return f"./{folder.name}"


def test_an_unknown_scenario_suggests_the_nearest(tmp_path: Path) -> None:
    assert "did you mean cardinality?" in refused(tmp_path, "run", "cardinalty")


@pytest.mark.parametrize("target", ["../../etc", "/etc", "./nowhere", "a/../../b"])
def test_a_path_without_a_scenario(target: str, tmp_path: Path) -> None:
    line = refused(tmp_path, "run", target)
    assert target in line
    assert "scenario.py" in line


def test_a_scenario_that_raises_names_file_and_line(tmp_path: Path) -> None:
    target = scenario(tmp_path / "mine", "x = 1\nraise RuntimeError('boom')\n")
    line = refused(tmp_path, "run", target)
    assert "mine/scenario.py:2: RuntimeError: boom" in line


def test_a_scenario_with_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    assert "mine/scenario.py:2: SyntaxError" in refused(tmp_path, "run", scenario(tmp_path / "mine", "x = 1\ny = (\n"))


def test_a_scenario_that_leaves_with_0_is_no_pass(tmp_path: Path) -> None:
    assert "SystemExit" in refused(tmp_path, "run", scenario(tmp_path / "mine", "import sys\nsys.exit(0)\n"))


def test_a_file_without_a_scenario_in_it(tmp_path: Path) -> None:
    assert "defines no SCENARIO" in refused(tmp_path, "run", scenario(tmp_path / "mine", "x = 1\n"))


def test_rules_that_promtool_refuses(tmp_path: Path) -> None:
    rules = tmp_path / "bad.yml"
    rules.write_text("groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: sum(rate(foo[5m]) by (x)\n")
    line = refused(tmp_path, "run", "cardinality", "--detect", str(rules))
    assert f"{rules}: 5:" in line
    assert "unexpected <by>" in line


@pytest.mark.parametrize("text", ["groups: [", "just text", "\x00\x01", "groups: 3"])
def test_rules_that_are_no_rules(text: str, tmp_path: Path) -> None:
    rules = tmp_path / "bad.yml"
    rules.write_text(text)
    assert str(rules) in refused(tmp_path, "run", "cardinality", "--detect", str(rules))


def test_rules_without_an_end(tmp_path: Path) -> None:
    assert "/dev/zero: more than 4 MiB" in refused(tmp_path, "run", "cardinality", "--detect", "/dev/zero")


def test_rules_that_are_not_there(tmp_path: Path) -> None:
    assert "gone.yml: No such file" in refused(tmp_path, "run", "cardinality", "--detect", "gone.yml")


def test_a_rule_whose_meaning_would_change_is_refused_by_name(tmp_path: Path) -> None:
    rules = tmp_path / "mine.yml"
    rules.write_text(
        "groups:\n  - name: x\n    rules:\n      - alert: Nightly\n        expr: hour() > 22\n        for: 5m\n"
    )
    line = refused(tmp_path, "run", "cardinality", "--detect", str(rules))
    assert "Nightly" in line
    assert "hour()" in line


def test_a_for_inside_the_gap_of_a_redeploy_names_the_highest_speed(tmp_path: Path) -> None:
    rules = tmp_path / "mine.yml"
    rules.write_text("groups:\n  - name: x\n    rules:\n      - alert: Soon\n        expr: up == 0\n        for: 1m\n")
    line = refused(tmp_path, "run", "cardinality", "--speed", "15", "--detect", str(rules))
    assert "for: 1m" in line
    assert "highest speed for this rule is 10" in line


@pytest.mark.parametrize("speed", ["0", "0.5", "1000", "-1", "nan"])
def test_a_speed_out_of_range(speed: str, tmp_path: Path) -> None:
    assert "--speed" in refused(tmp_path, "run", "cardinality", "--speed", speed)


def test_a_fix_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere: no such folder" in refused(tmp_path, "run", "cardinality", "--fix", "nowhere")


def test_a_fix_with_a_misspelt_file(tmp_path: Path) -> None:
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix" / "metric.py").write_text("")
    line = refused(tmp_path, "run", "cardinality", "--fix", "fix")
    assert "metric.py: not a file of a deployment" in line
    assert "metrics.py" in line


def test_prometheus_is_missing(tmp_path: Path) -> None:
    line = refused(tmp_path, "run", "cardinality", "--prometheus-bin", str(tmp_path / "none"))
    assert str(tmp_path / "none") in line


def test_prometheus_is_too_old(tmp_path: Path) -> None:
    old = script(tmp_path / "prometheus", 'echo "prometheus, version 2.15.2 (branch: HEAD, revision: x)"')
    line = refused(tmp_path, "run", "cardinality", "--prometheus-bin", old)
    assert "2.15.2" in line
    assert "2.42" in line


def test_it_is_not_a_prometheus(tmp_path: Path) -> None:
    other = script(tmp_path / "prometheus", "echo some other program 1.0")
    assert other in refused(tmp_path, "run", "cardinality", LAB_PROMETHEUS_BIN=other)


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_out_can_not_be_written(out: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert f"--out {out}" in refused(tmp_path, "run", "cardinality", "--out", out)
    assert (tmp_path / "file").read_text() == "in the way"


def test_json_can_not_be_written(tmp_path: Path) -> None:
    assert "--json nowhere/o.json" in refused(tmp_path, "run", "cardinality", "--json", "nowhere/o.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nspead = 3\n", "[run] spead: no such option"),
        ("[rum]\nspeed = 3\n", "[rum]: no such command"),
        ("speed = 3\n", "[speed]: no such command"),
        ("[run\n", "lab.toml"),
    ],
)
def test_lab_toml(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(text)
    assert said in refused(tmp_path, "run", "cardinality", "--dry-run")


def test_flag_over_variable_over_file_over_default(tmp_path: Path) -> None:
    def speed(*args: str, **env: str) -> str:
        _, out, err = lab(tmp_path, "run", "cardinality", "--dry-run", *args, **env)
        return out.partition("speed ")[2].partition(",")[0] or err

    assert speed() == "15"
    (tmp_path / "lab.toml").write_text("[run]\nspeed = 11\n")
    assert speed() == "11"
    assert speed(LAB_SPEED="12") == "12"
    assert speed("--speed", "13", LAB_SPEED="12") == "13"


def test_dry_run_starts_nothing(tmp_path: Path) -> None:
    code, out, _ = lab(tmp_path, "run", "cardinality", "--dry-run")
    assert code == 0
    assert "no space left on device" in out
    assert not (tmp_path / "runs").exists()
    assert not list((tmp_path / "state").glob("*"))


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 2, "No such file"),
        ("", 3, "INCONCLUSIVE"),
        ("not json\n", 2, "not a journal"),
        ('{"type":"run","format":99}\n', 2, "format 99"),
    ],
)
def test_analyze_what_is_no_journal(content: str | None, code: int, said: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    if content is not None:
        (run / "journal.jsonl").write_text(content)
    got, _, err = lab(tmp_path, "analyze", str(run))
    assert got == code
    assert said in err


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_analyze_a_torn_journal_is_inconclusive(keep: float, tmp_path: Path) -> None:
    recorded = Path(__file__).resolve().parent.parent / "recorded" / "cardinality" / "pass.jsonl"
    text = recorded.read_text()
    run = tmp_path / "run"
    run.mkdir()
    (run / "journal.jsonl").write_text(text[: int(keep * len(text))])
    shutil.copytree(recorded.parents[3] / "scenarios" / "cardinality", run / "scenario")
    code, out, err = lab(tmp_path, "analyze", str(run), "--json", "-")
    assert code == 3, err
    assert json.loads(out)["verdict"] == "inconclusive"
    assert "Traceback" not in err
