"""Condition: the server itself names the metric and the label that multiply."""

from __future__ import annotations

from dataclasses import dataclass

from lab.events import CulpritFound
from lab.scenario import Check
from lab.view import View


@dataclass(frozen=True)
class Named:
    """The TSDB status API, asked when the alert arrived, ranks this metric and label first."""

    metric: str
    label: str

    @property
    def expected(self) -> str:
        """In words."""
        return f"{self.metric}{{{self.label}}}"

    def _found(self, view: View, t: float) -> CulpritFound | None:
        return next(iter(view.history.of(CulpritFound, view.start, t)), None)

    def at(self, view: View, t: float) -> bool | None:
        """None until the server was asked."""
        found = self._found(view, t)
        return None if found is None else (found.metric, found.label) == (self.metric, self.label)

    def observed(self, view: View, t: float) -> str:
        """What the server named, with the number of values."""
        found = self._found(view, t)
        return "not asked" if found is None else f"{found.metric}{{{found.label}}}: {found.values:,} values"


def culprit(metric: str, label: str) -> Check:
    """The culprit is named: metric and label."""
    return Check("culprit named", Named(metric, label))
