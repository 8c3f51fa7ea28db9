"""The map holds: the engine names no scenario, help is quick, Locust stays a child."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.rag.errors import RateLimitedError

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = [
    path.parent for of in ("*", "service/*") for path in sorted((ROOT / "scenarios").glob(f"{of}/scenario.py"))
]
HEAVY = ("locust", "docker", "numpy", "fastapi", "gevent", "rich", "httpx", "yaml")


def imported_by(*args: str) -> set[str]:
    """Top-level modules that a command has loaded when it ends."""
    code = (
        "import sys; from lab.cli import run_cli\n"
        "import io, contextlib\n"
        f"with contextlib.redirect_stdout(io.StringIO()): run_cli({list(args)!r})\n"
        "print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_help_imports_nothing_heavy() -> None:
    loaded = imported_by("--help")
    assert "click" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("command", [["list"], ["show", "cardinality"], ["run", "cardinality", "--dry-run"]])
def test_the_lab_never_imports_locust(command: list[str]) -> None:
    assert not imported_by(*command) & {"locust", "gevent"}


def test_only_what_runs_inside_locust_imports_it() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(a.name.startswith("locust") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("locust"))
    }
    assert "lab/loadgen/live.py" in found
    assert {str(Path(name).parent) for name in found} == {"lab/loadgen"}


@pytest.mark.parametrize("path", sorted((ROOT / "lab").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_names_no_scenario(path: Path) -> None:
    names = {folder.name for folder in SCENARIOS}
    tree = ast.parse(path.read_text())
    literals = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    if path.parent.name == "rag":  # the service's own word for a 429, older than the scenario of that name
        literals -= {RateLimitedError.error_type}
    assert not literals & names
    modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not {m for m in modules if m.split(".")[0] == "scenarios"}


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_a_scenario_is_short_and_touches_no_process(folder: Path) -> None:
    text = (folder / "scenario.py").read_text()
    assert text.count("\n") <= 100
    imports = {
        (n.module or "") if isinstance(n, ast.ImportFrom) else n.names[0].name
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Import | ast.ImportFrom)
    }
    assert not {i.partition(".")[0] for i in imports} & {"subprocess", "socket", "docker", "os", "psutil"}


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda p: p.name)
def test_a_scenario_has_all_its_parts(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "locustfile.py", "detect.rules.yml", "detect.test.yml", "broken", "fixed"} <= names
    lesson = (folder / "README.md").read_text()
    for part in ("Symptom", "Mechanism", "Detection", "Fix", "Verify", "Prevent", "Try it"):
        assert f"\n## {part}" in lesson


def test_no_two_test_files_have_one_name() -> None:
    """Without packages pytest imports a test file by its name alone; a second one of the name stops everything."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_no_test_sleeps() -> None:
    """It waits on a condition with a deadline (`tests/waiting.py`)."""
    sleeps = re.compile(r"\b(?:time|asyncio|gevent)\.sleep\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sleeps.search(line)
    ]
    assert found == []
