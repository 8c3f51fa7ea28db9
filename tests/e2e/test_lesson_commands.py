"""Each lesson, and the pages for teaching, followed as a newcomer would: every command that they print, as printed.

In a fresh clone, with `lab` on PATH as README.md says. What the reader is to write (`my-fix`, `my-rules.yml`) is ours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from printed import LESSONS, ROOT, Printed, printed

pytestmark = [pytest.mark.e2e, pytest.mark.whole, pytest.mark.timeout(2400)]
PAGES = [
    *LESSONS,
    *(ROOT / "docs" / name for name in ("teaching.md", "classroom.md", "exercises.md")),
    ROOT / "README.md",
]
DEADLINE_S = 900.0
ELSEWHERE = {
    "make ": "README.md: this test is one of what it starts",
    "docker ": "tests/e2e/test_compose_up.py",
    "lab images": "asks an engine: tests/e2e/test_docker.py",
    "lab costs": "asks a service that runs: tests/e2e/test_rag_redis.py",
    "promtool ": "slow_queries prints it with dots: the run does it",
    "lab run ./my-scenario": "tests/e2e/test_walk.py",
    "lab run all": "each lesson runs its own",
    "lab up": "docs/classroom.md, in its order",
    "lab down": "docs/classroom.md, in its order",
    "lab status": "docs/classroom.md, in its order",
    "lab lint metrics http://localhost:8001/metrics": "label_leak's block asks it, of a service that it starts",
}
"""Commands that are not run here, by how they begin, and where else they are."""
WAITS_FOR_ENTER = re.compile(r"--stage(?!.*--auto)")  # tests/unit/test_stage.py
PLACEHOLDER = re.compile(r"(?<![\w$])[A-Z][A-Z_]+(?![\w=])|\[|\bDIR\b|<")


@dataclass
class Newcomer:
    """A shell in a fresh clone: what was printed last says where a stack is, and where a run was kept."""

    clone: Path
    state: Path
    urls: dict[str, str] = field(default_factory=dict)
    run: str = ""
    typed: int = 0
    """Lines that were really typed: a page may have some that only a reader can."""

    def follow(self, page: Path) -> list[str]:
        """Every command of a page in its order; what did not do as printed."""
        wrong = []
        for block in printed(page):
            in_sentence = len(block.commands) == 1 and not block.text.startswith("    ")
            if in_sentence and self._elsewhere(block.commands[0]):
                continue
            wrong += [f"{block.where}: {said}" for said in self._type(block)]
        return wrong

    def _elsewhere(self, command: str) -> bool:
        begins = any(command.startswith(start) for start in ELSEWHERE)
        bare = len(command.split()) == 2 and command.split()[1] in (
            "run",
            "new",
            "show",
            "advise",
        )  # a word of a sentence
        return begins or bare or bool(PLACEHOLDER.search(command) or WAITS_FOR_ENTER.search(command))

    def _type(self, block: Printed) -> list[str]:
        script = ["set +e"]
        for command, code in zip(block.commands, block.codes, strict=True):
            if command.startswith(("make ", "docker ", "promtool ")) or WAITS_FOR_ENTER.search(command):
                continue
            self._prepare(command, block.commands)
            ends = f'got=$?; [ $got -eq {code} ] || {{ echo "LAB-TEST exit code $got, not {code}"; }}'
            script += [self._filled(command), ends if not command.endswith("&") else ":"]
        self.typed += len(script) - 1
        script.append("echo LAB-TEST-END")
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)], capture_output=True, text=True, timeout=DEADLINE_S, cwd=self.clone,
            env=self._environment(), check=False,
        )  # fmt: skip
        self._remember(done.stderr + done.stdout)
        failed = re.findall(r"^LAB-TEST (.*)$", done.stdout, re.MULTILINE)
        if "LAB-TEST-END\n" not in done.stdout:
            failed.append("it ended before its last command")
        return [f"{block.commands}: {said}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}" for said in failed]

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # The environment is that of this checkout; what is typed must run what git has.
        return {
            **os.environ, "PATH": path, "PYTHONPATH": str(self.clone),
            "LAB_STATE_DIR": str(self.state), "LAB_RUNTIME": "native",
        }  # fmt: skip

    def _prepare(self, command: str, block: list[str]) -> None:
        """What the reader was told to write, as far as it is not there, and the block does not make it itself."""
        if not (found := re.search(r"lab run (\w+).*--(?:fix my-fix|detect my-rules.yml)", command)):
            return
        (scenario,) = (
            path.parent for path in (self.clone / "scenarios").rglob("scenario.py") if path.parent.name == found[1]
        )
        shutil.rmtree(self.clone / "my-fix", ignore_errors=True)
        if not any(re.match(r"cp -r \S+ my-fix$", one) for one in block):
            shutil.copytree(scenario / "fixed", self.clone / "my-fix")
        shutil.copyfile(scenario / "detect.rules.yml", self.clone / "my-rules.yml")

    def _filled(self, command: str) -> str:
        command = command.replace("http://127.0.0.1:...", self.urls.get("prometheus", "http://127.0.0.1:1"))
        return re.sub(r"\bRUN\b", self.run, command)

    def _remember(self, told: str) -> None:
        self.urls.update(re.findall(r"^(\w+) +(http://127\.0\.0\.1:\d+)$", told, re.MULTILINE))
        for run in re.findall(r"evidence in (\S+)", told):
            self.run = run


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    clone = tmp_path / "lab"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, timeout=60)
    (clone / ".venv").symlink_to(sys.prefix)  # what `make` sets up there
    return Newcomer(clone, tmp_path / "state")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_does_as_printed(page: Path, newcomer: Newcomer) -> None:
    try:
        wrong = newcomer.follow(page)
        assert not wrong, "\n".join(wrong)
        assert newcomer.typed, "nothing was typed"
    finally:
        subprocess.run([sys.executable, "-m", "lab", "clean"], env=newcomer._environment(), timeout=60, check=False)


def test_it_is_the_clone_that_is_followed(newcomer: Newcomer, tmp_path: Path) -> None:
    (newcomer.clone / "scenarios" / "cardinality" / "README.md").write_text("# Another lesson\n")
    page = tmp_path / "page.md"
    page.write_text('    lab show cardinality | grep "Another lesson"\n')
    assert newcomer.follow(page) == []


def test_a_command_that_does_otherwise_is_told(newcomer: Newcomer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Type `lab list` and\n\n    lab show nothing\n    lab show nothing    # exit code 2\n")
    told = newcomer.follow(page)
    assert len(told) == 1
    assert "exit code 2, not 0" in told[0]
    assert "page.md:3" in told[0]
