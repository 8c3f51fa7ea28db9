"""Conditions on the smoke test of a release, `lab lint smoke`: it stops this one, it lets that one pass."""

from __future__ import annotations

from dataclasses import dataclass

from lab.events import SmokeTested
from lab.scenario import Check
from lab.view import View


@dataclass(frozen=True)
class SmokeTest:
    """The smoke test that was made when this phase's release was live exits with `code`."""

    require: tuple[str, ...]
    code: int

    @property
    def expected(self) -> str:
        """In words."""
        names = "".join(f" --require {name}" for name in self.require)
        return f"lab lint smoke{names}: exit code {self.code}"

    def _made(self, view: View, t: float) -> SmokeTested | None:
        return next(iter(view.history.of(SmokeTested, view.start, t)), None)

    def at(self, view: View, t: float) -> bool | None:
        """None until it was made."""
        made = self._made(view, t)
        return None if made is None else made.code == self.code

    def observed(self, view: View, t: float) -> str:
        """What it said."""
        made = self._made(view, t)
        return "not made" if made is None else f"exit code {made.code}: {made.said}"


@dataclass(frozen=True)
class smoke_test:  # noqa: N801 - reads as a word of the vocabulary
    """The smoke test of a release, and the metrics that it asks for."""

    require: str

    def stops_it(self) -> Check:
        """It fails: with it in the pipeline, the release would not have gone on."""
        return Check("smoke test stops the release", SmokeTest((self.require,), 1))

    def passes(self) -> Check:
        """It passes."""
        return Check("smoke test passes", SmokeTest((self.require,), 0))
