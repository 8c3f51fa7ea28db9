"""What a rule of `lab lint` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.text import clean


class Level(StrEnum):
    """An error decides the exit code; a warning deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing found: by which rule, on which metric, and where it is one, the label to blame."""

    level: Level
    rule: str
    metric: str
    label: str
    text: str

    @property
    def where(self) -> str:
        """`metric{label}`, fit for a terminal."""
        return clean(f"{self.metric}{{{self.label}}}" if self.label else self.metric)
