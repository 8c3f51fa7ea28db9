"""What the time scale refuses, and how it says so.

ValueError
└── TimescaleError      a construct whose meaning compression would change, named with its remedy
    └── InputError      the text itself is unusable: YAML, a duration, PromQL that does not parse
"""

from __future__ import annotations


class TimescaleError(ValueError):
    """A rule or config that cannot be compressed without changing what it says.

    `str()` is one line: place, rule, construct, reason, remedy. Each is also an attribute; those that are
    not known are empty (`line` is 0), because an expression alone has neither file nor rule.
    """

    def __init__(
        self,
        reason: str,
        *,
        construct: str = "",
        remedy: str = "",
        rule: str = "",
        filename: str = "",
        line: int = 0,
    ) -> None:
        self.reason = reason
        self.construct = construct
        self.remedy = remedy
        self.rule = rule
        self.filename = filename
        self.line = line
        super().__init__(self._one_line())

    def located(self, *, rule: str, filename: str, line: int) -> TimescaleError:
        """The same error, saying which rule of which file it is about (what is already known is kept)."""
        return type(self)(
            self.reason,
            construct=self.construct,
            remedy=self.remedy,
            rule=self.rule or rule,
            filename=self.filename or filename,
            line=self.line or line,
        )

    def _one_line(self) -> str:
        place = self.filename + (f":{self.line}" if self.line else "")
        parts = [place, f"rule {self.rule}" if self.rule else "", self.construct, self.reason]
        head = ": ".join(part for part in parts if part)
        text = f"{head}; {self.remedy}" if self.remedy else head
        return " ".join(text.split())


class InputError(TimescaleError):
    """The text is no valid YAML, duration or PromQL, or is larger than the lab accepts."""
