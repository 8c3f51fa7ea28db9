"""How much of time is in a value: the small unit algebra behind the refusals.

When time runs `speed` times faster, a gauge, a ratio, or a rate of what is not sped up keeps its value, but the
increase over a (now shorter) window and the age of a time stamp both shrink by that factor. A `Unit` counts these
factors through an expression; where a number of another unit meets the value, the number has to be scaled, and only the
rule's author knows how.

A window that can't shrink by the whole factor (it must hold some scrapes, and whole seconds) counts more than its
share: its `stretch` goes with the value, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from lab.timescale.errors import InputError

ANNOTATION = "lab_timescale"


class Meaning(StrEnum):
    """The values of a rule's `lab_timescale` annotation; several are separated by commas."""

    EVENT = "event"  # increase/delta/sum_over_time count what comes `speed` times faster, too: thresholds stay.
    # So does the lab's own traffic (`Load.rate`): a compressed window holds as many queries as the one written.
    TRAFFIC = "traffic"  # they count what comes no faster: thresholds are divided by as much as the window is
    HORIZON = "horizon"  # predict_linear's second argument is divided by speed
    AGE = "age"  # thresholds on the age of a time stamp (`time() - x`) are divided by speed
    SHORT_FOR = "short_for"  # a redeploy's gap cannot fire this rule: `for` may become shorter than that gap


TOLERANCE = Fraction(1, 20)
"""How much longer than its share a window may be where nothing makes up for it: what rounding mostly costs."""


@dataclass(frozen=True)
class Unit:
    """Powers of the speed by which a value shrinks; `clock` marks an absolute time stamp (it does not shrink).

    `stretch`: how many times more than its share the value's windows count.
    """

    traffic: int = 0
    age: int = 0
    clock: bool = False
    stretch: Fraction = Fraction(1)

    @property
    def plain(self) -> bool:
        """True for a value that compression does not touch."""
        return not (self.traffic or self.age or self.clock or self.uneven)

    @property
    def uneven(self) -> bool:
        """Whether windows count too much more than their share, or too much less, to be passed over."""
        return abs(self.stretch - 1) > TOLERANCE

    @property
    def power(self) -> int:
        """The power of the speed by which the value shrinks."""
        return self.traffic + self.age

    def shrinks_by(self, speed: float) -> float:
        """What a number must be divided by to be in this unit."""
        return float(Fraction(speed) ** self.power / self.stretch)

    def alike(self, other: Unit) -> bool:
        """Whether both shrink by the same powers, however long their windows are."""
        return (self.traffic, self.age) == (other.traffic, other.age)

    def stretched(self, stretch: Fraction) -> Unit:
        """The unit of a value that is counted over such a window."""
        return replace(self, stretch=self.stretch * stretch)

    @property
    def needs(self) -> frozenset[Meaning]:
        """The meanings the author must state before a number of this unit may be scaled."""
        wanted = [(Meaning.TRAFFIC, self.traffic), (Meaning.AGE, self.age or self.clock)]
        return frozenset(meaning for meaning, used in wanted if used)

    def times(self, other: Unit) -> Unit:
        """Unit of a product of two values that are no clocks."""
        return Unit(self.traffic + other.traffic, self.age + other.age, stretch=self.stretch * other.stretch)

    def over(self, other: Unit) -> Unit:
        """Unit of a quotient of two values that are no clocks."""
        return Unit(self.traffic - other.traffic, self.age - other.age, stretch=self.stretch / other.stretch)


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
