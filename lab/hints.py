"""Hints: for a check that a learner's answer fails, a question that leads on. None of them gives the answer away.

A scenario has its own in `hints.yml`: the names of its checks (with * for any text) and a hint for each, the first that
fits. For the checks of the lab itself, which every scenario has, they stand here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from lab.errors import ScenarioError
from lab.judge import Judgement
from lab.scenario import Phase, Result

FILE = "hints.yml"
EARLY = (
    "It is active although nothing is broken yet. What does it see that is true of the healthy service, too? "
    "`--control` tries the same without the fault, with an ordinary release and five times the traffic."
)
COMMON: Mapping[str, str] = {
    "detectors inactive": EARLY,
    "nobody notified": EARLY,
    "silent throughout": (
        "Nothing was broken: there was an ordinary release, and five times the traffic. Which of the two moves the "
        "figure that the rule looks at, and what could that figure be compared with?"
    ),
    "seen before it hurts": (
        "The alert came after the damage, or never. Where does its time go: until the expression is true, in `for`, or "
        "on the way through Alertmanager? The report of the run has all of them on one axis (`lab report`)."
    ),
    "only declared alerts": (
        "An alert was raised that this fault does not explain; the check names it. What else changed with your files?"
    ),
    "service survives the fix": (
        "The service ended by itself. The last lines of logs/rag.log in the run's folder say why. A symptom that is "
        "gone because the process is gone has not been cured."
    ),
    "service healthy": "Requests failed or were missing before anything was broken: look at logs/rag.log first.",
}


@dataclass(frozen=True)
class Hint:
    """What to ask oneself about a check that failed."""

    phase: Phase
    check: str
    text: str


def hints_in(folder: Path) -> dict[str, str]:
    """A scenario's own hints: names of checks -> hint; none where it has no file. Raises `ScenarioError`."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path}: {str(error).splitlines()[0]}; it maps names of checks to hints") from error
    if not isinstance(found, dict) or not all(isinstance(x, str) for pair in found.items() for x in pair):
        raise ScenarioError(f"{path}: no names of checks with a hint, a text, for each")
    return {name: " ".join(text.split()) for name, text in found.items()}


def hints_for(judgement: Judgement, own: Mapping[str, str]) -> list[Hint]:
    """A hint for each check that failed, in the order of the story, each hint once."""
    found: dict[str, Hint] = {}
    for phase in judgement.phases:
        for result in phase.results:
            if result.result is Result.FAIL and (text := _fitting(result.name, (own, COMMON))):
                found.setdefault(text, Hint(phase.phase, result.name, text))
    return list(found.values())


def _fitting(name: str, sources: Sequence[Mapping[str, str]]) -> str:
    """The first hint whose pattern fits; a name itself fits, whatever is in it."""
    fits = (text for hints in sources for p, text in hints.items() if p == name or fnmatchcase(name, p))
    return next(fits, "")
