"""The example repository in an environment that has the lab as a wheel, and nothing of this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
EXAMPLE = Path(__file__).resolve().parent.parent.parent / "docs" / "example"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel. Dependencies are those of this one, whose own lab is not seen."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder)
    found = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(found), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "repository"))


def run(python: Path, repository: Path, *args: str, deadline_s: float = 60) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "LAB_", "PYTHON", "GITHUB"))}
    env["LAB_STATE_DIR"] = str(repository.parent / "state")
    return subprocess.run(
        [str(python), *args], cwd=repository, env=env, capture_output=True, text=True, timeout=deadline_s, check=False
    )


def test_the_plugin_is_there_without_being_asked_for(python: Path, repository: Path) -> None:
    where = run(python, repository, "-c", "import lab.pytest_plugin; print(lab.pytest_plugin.__file__)").stdout
    assert where.startswith(str(python.parent.parent))
    done = run(python, repository, "-m", "pytest", "--markers")
    assert "@pytest.mark.lab(target, " in done.stdout, done.stdout + done.stderr
    assert "1 test collected" in run(python, repository, "-m", "pytest", "--collect-only", "-q").stdout


def test_a_team_s_rules_that_are_wrong_are_told_in_one_line(python: Path, repository: Path) -> None:
    (repository / "rules.yml").write_text("groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: up ==\n")
    done = run(python, repository, "-m", "pytest")
    assert done.returncode == 1
    assert "1 error" in done.stdout
    assert "exit code 2" in done.stdout
    assert "rules.yml" in done.stdout


@pytest.mark.whole
def test_a_team_s_rules_catch_a_failure(python: Path, repository: Path) -> None:
    done = run(python, repository, "-m", "pytest", "-q", deadline_s=500)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
    assert list(repository.glob("runs/cardinality/*/verdict.json"))


@pytest.mark.whole
def test_rules_that_see_nothing_fail(python: Path, repository: Path) -> None:
    rules = (repository / "rules.yml").read_text()
    (repository / "rules.yml").write_text(rules.replace("> 2000", "> 2e9"))
    done = run(python, repository, "-m", "pytest", "-q", deadline_s=500)
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "PrometheusSeriesGrow" in (repository / "rules.yml").read_text()
    seen = ("observed no notification", "observed never against")
    assert any(words in done.stdout for words in seen), done.stdout[-4000:]
