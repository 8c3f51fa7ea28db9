"""The example repository of docs/ is one that works: its workflow is valid, its commands are the lab's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cli import lab
from lab.install import cache

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "docs" / "example"
WORKFLOW = EXAMPLE / ".github" / "workflows" / "rules.yml"


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["rules"]["steps"]
    return found


def schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    """Against GitHub's own schema, which check-jsonschema brings: no network."""
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=60, check=False)


def test_the_workflow_is_one() -> None:
    done = schema_check(WORKFLOW)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_would_tell(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on: ubuntu-24.04", "runs-at: ubuntu-24.04"))
    assert schema_check(broken).returncode == 1


def test_the_cache_is_where_the_lab_keeps_its_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (cached,) = [step["with"] for step in steps() if "actions/cache" in step.get("uses", "")]
    assert Path(cached["path"]).expanduser() == cache.cache_dir()
    order = [step.get("uses", step.get("run", "")).split("@")[0] for step in steps()]
    assert order.index("actions/cache") < order.index("lab install") < order.index("pytest --junit-xml=pytest.xml")


def test_every_expression_names_a_step_that_is_there() -> None:
    ids = {step["id"] for step in steps() if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.", WORKFLOW.read_text())) == ids


@pytest.mark.parametrize("path", [WORKFLOW, ROOT / "docs" / "ci.md"], ids=lambda p: p.name)
def test_every_command_is_one_that_the_lab_has(path: Path) -> None:
    found = re.findall(r"^\s*(?:- run: )?lab ([a-z]+)((?: +[^|\n]+)?)", path.read_text(), re.MULTILINE)
    assert found
    for name, rest in found:
        words = [word for word in shlex.split(rest) if word.startswith("--")]
        known = {flag for param in lab.commands[name].params for flag in param.opts}
        assert set(words) <= known


@pytest.mark.parametrize("text", [WORKFLOW.read_text(), (ROOT / "docs" / "ci.md").read_text()], ids=["workflow", "doc"])
@pytest.mark.parametrize(("codes", "expected", "tries"), [
    ((0,), 0, 1), ((1, 0), 1, 1), ((2, 0), 2, 1), ((3, 0), 0, 2), ((3, 3, 1), 1, 3), ((3, 3, 3, 0), 3, 3),
])  # fmt: skip
def test_the_loop_tries_a_doubt_again_and_nothing_else(
    text: str, codes: tuple[int, ...], expected: int, tries: int, tmp_path: Path
) -> None:
    """Played by the shell that GitHub uses, with a stand-in for the lab."""
    loop = re.search(r"^ *for try in.*?exit \"\$code\"$", text, re.MULTILINE | re.DOTALL)
    assert loop is not None
    (tmp_path / "codes").write_text("\n".join(map(str, codes)) + "\n")
    stand_in = 'lab() { echo >> asked; return "$(sed -n "$(wc -l < asked)p" codes)"; }\n'
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", stand_in + loop.group()], cwd=tmp_path, timeout=20, check=False
    )
    assert done.returncode == expected
    assert len((tmp_path / "asked").read_text().splitlines()) == tries


def test_the_documented_test_is_the_example() -> None:
    code = (EXAMPLE / "test_rules.py").read_text()
    for line in ('@pytest.mark.lab("cardinality", detect="rules.yml")', "assert lab_run.passed, str(lab_run)"):
        assert line in code
        assert line in (ROOT / "docs" / "ci.md").read_text()
