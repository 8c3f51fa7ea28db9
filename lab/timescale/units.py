"""How much of time is in a value: the small unit algebra behind the refusals.

When time runs `speed` times faster, a gauge, a rate or a ratio keeps its value, but the increase over a (now shorter)
window and the age of a time stamp both shrink by that factor. A `Unit` counts these factors through an expression;
where a number of another unit meets the value, the number has to be scaled, and only the rule's author knows how.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lab.timescale.errors import InputError

ANNOTATION = "lab_timescale"


class Meaning(StrEnum):
    """The values of a rule's `lab_timescale` annotation; several are separated by commas."""

    EVENT = "event"  # increase/delta/sum_over_time count events of simulated time: thresholds stay
    TRAFFIC = "traffic"  # they count real traffic, whose rate is not compressed: thresholds are divided by speed
    HORIZON = "horizon"  # predict_linear's second argument is divided by speed
    AGE = "age"  # thresholds on the age of a time stamp (`time() - x`) are divided by speed
    SHORT_FOR = "short_for"  # a redeploy's gap cannot fire this rule: `for` may become shorter than that gap


@dataclass(frozen=True)
class Unit:
    """Powers of the speed by which a value shrinks; `clock` marks an absolute time stamp (it does not shrink)."""

    traffic: int = 0
    age: int = 0
    clock: bool = False

    @property
    def plain(self) -> bool:
        """True for a value that compression does not touch."""
        return self == PLAIN

    @property
    def power(self) -> int:
        """The power of the speed by which the value shrinks."""
        return self.traffic + self.age

    @property
    def needs(self) -> frozenset[Meaning]:
        """The meanings the author must state before a number of this unit may be scaled."""
        wanted = [(Meaning.TRAFFIC, self.traffic), (Meaning.AGE, self.age or self.clock)]
        return frozenset(meaning for meaning, used in wanted if used)

    def times(self, other: Unit) -> Unit:
        """Unit of a product of two values that are no clocks."""
        return Unit(self.traffic + other.traffic, self.age + other.age)

    def over(self, other: Unit) -> Unit:
        """Unit of a quotient of two values that are no clocks."""
        return Unit(self.traffic - other.traffic, self.age - other.age)


PLAIN = Unit()
TRAFFIC = Unit(traffic=1)
AGE = Unit(age=1)
CLOCK = Unit(clock=True)


def parse_meanings(text: str) -> frozenset[Meaning]:
    """Read the annotation, e.g. `traffic, age`; raise InputError for an unknown or contradictory value."""
    known = {meaning.value: meaning for meaning in Meaning}
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in known:
            raise InputError(
                "unknown value", construct=f"{ANNOTATION}: {text!r}", remedy="known are " + ", ".join(known)
            )
    meanings = frozenset(known[word] for word in words)
    if {Meaning.EVENT, Meaning.TRAFFIC} <= meanings:
        raise InputError(
            "`event` and `traffic` contradict each other",
            construct=f"{ANNOTATION}: {text!r}",
            remedy="split the rule in two",
        )
    return meanings
