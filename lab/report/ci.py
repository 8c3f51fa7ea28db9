"""What a CI system reads, kept up to date after each run: JUnit, step summary, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from lab.outcome import Outcome
from lab.report import github


@dataclass
class CiOutputs:
    """The outputs of one command. `junit`: None where none was asked for."""

    junit: Path | None
    environ: Mapping[str, str]
    out: TextIO
    _outcomes: list[Outcome] = field(default_factory=list)
    _not_begun: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """A run is over: what is on disk holds it and those before it. Raises `LabError`."""
        self._outcomes.append(outcome)
        github.report(outcome, self.environ, self.out)
        self._write()

    def not_begun(self, label: str, why: str) -> None:
        """A run that was asked for and is not made. Raises `LabError`."""
        self._not_begun[label] = why
        github.tell_not_begun(label, why, self.environ, self.out)
        self._write()

    def _write(self) -> None:
        if self.junit is not None:
            from lab.report.junit import write

            write(self.junit, self._outcomes, self._not_begun)
