"""A learner's answer: a fix or rules in place of ours. What hints it gets, and the difference to ours."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab import deployment
from lab.catalog import RULES, RULES_OF, Found
from lab.hints import hints_in
from lab.plan import YOURS, Plan
from lab.stored import FIX

KEPT_RULES = "your.rules.yml"
"""The file in a run's folder that has a learner's rules as they were written."""


@dataclass(frozen=True)
class Answer:
    """What was given in place of `fixed/` (files by name) and of the detection rules; None where ours were run."""

    found: Found
    fix: Mapping[str, Path] | None = None
    rules: str | None = None
    hints: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> bool:
        """Whether there is an answer at all."""
        return self.fix is not None or self.rules is not None

    def keep(self, run_dir: Path) -> None:
        """Leave the rules in the run's folder, as they were written: a fix is there already."""
        if self.rules is not None:
            (run_dir / KEPT_RULES).write_text(self.rules, encoding="utf-8")

    def solution(self) -> str:
        """A unified diff from the answer to ours; a sentence where there is none."""
        lines: list[str] = []
        if self.fix is not None:
            ours = self.found.deployment("fixed").files
            for name in sorted({*self.fix, *ours}):
                lines += _diff(_text(self.fix.get(name)), _text(ours.get(name)), f"yours/{name}", f"fixed/{name}")
        if self.rules is not None:
            lines += _diff(self.rules, _text(self.found.folder / RULES), f"yours/{RULES}", RULES)
        return "".join(lines) or "no difference to ours\n"


def answer_of(plan: Plan) -> Answer:
    """The answer that a run is about. Raises `ScenarioError` where the scenario's hints can't be read."""
    fix = plan.fixed.files if plan.options.fix is not None else None
    rules = plan.detect_rules[f"{RULES_OF[plan.scenario.watcher]}/{YOURS}"] if plan.options.detect is not None else None
    hints = hints_in(plan.found.folder) if fix is not None or rules is not None else {}
    return Answer(plan.found, fix, rules, hints)


def stored_answer(found: Found, run_dir: Path) -> Answer:
    """The answer that a stored run was about, from its folder."""
    kept = run_dir / KEPT_RULES
    fix = deployment.load("fixed", run_dir / FIX).files if (run_dir / FIX).is_dir() else None
    rules = _text(kept) if kept.is_file() else None
    return Answer(found, fix, rules, hints_in(found.folder) if fix is not None or rules is not None else {})


def _text(path: Path | None) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.is_file() else ""


def _diff(yours: str, ours: str, before: str, after: str) -> list[str]:
    def lines(text: str) -> list[str]:
        return [f"{line}\n" for line in text.splitlines()]

    return list(difflib.unified_diff(lines(yours), lines(ours), before, after))
