"""What the journal records besides samples: one frozen dataclass an event.

Every `t` is Unix time in seconds on the lab's clock, which is the servers' clock too: native or in
containers, they run on the same kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from signal import SIGINT, SIGKILL, SIGTERM
from typing import Any, ClassVar, Literal

from lab.wellformed import require


@dataclass(frozen=True)
class Event:
    """Something that happened at one moment."""

    kind: ClassVar[str] = ""
    t: float


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase of the run began; its checks watch from here."""

    kind: ClassVar[str] = "phase_started"
    name: str


@dataclass(frozen=True)
class PhaseEnded(Event):
    """A phase ended, because its checks were settled or (`why`) for another reason."""

    kind: ClassVar[str] = "phase_ended"
    name: str
    why: str = ""


@dataclass(frozen=True)
class Deployed(Event):
    """A deployment is live: the service answers again."""

    kind: ClassVar[str] = "deployed"
    what: Literal["healthy", "broken", "fixed"]
    files: tuple[str, ...] = ()


DRY_RUN = "dry-run"
"""The receiver's route of alerts on trial: it writes them down, and nobody is told."""


@dataclass(frozen=True)
class Notified(Event):
    """Alertmanager delivered one alert to the receiver (`t`: arrival)."""

    kind: ClassVar[str] = "notified"
    alert: str
    status: Literal["firing", "resolved"]
    route: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: str = ""

    @property
    def dry_run(self) -> bool:
        """Whether it was only written down."""
        return self.route == DRY_RUN


@dataclass(frozen=True)
class LogSeen(Event):
    """A line that a check waits for appeared in a service's log."""

    kind: ClassVar[str] = "log_seen"
    service: str
    file: str
    line: int
    text: str


LIMIT = "memory limit"
"""What every runtime says of a process that was killed at its limit, by the lab or by the kernel."""


@dataclass(frozen=True)
class Exited(Event):
    """A service's process ended without the lab having asked it to."""

    kind: ClassVar[str] = "exited"
    service: str
    code: int
    how: str

    @property
    def by_itself(self) -> bool:
        """Whether it ended of its own: nobody stopped or killed it, not even at its memory limit."""
        return self.code not in _FROM_OUTSIDE

    def as_meant(self, code: int | None) -> bool:
        """With this exit code; where none is given, by itself or at its memory limit, but not killed from outside."""
        return self.by_itself or LIMIT in self.how if code is None else self.code == code


_FROM_OUTSIDE = {code for number in (SIGINT, SIGKILL, SIGTERM) for code in (-number, 128 + number)}
"""A process says -9, a container 137."""


@dataclass(frozen=True)
class ScrapeFailed(Event):
    """The patient could not scrape a job, and why, in its own words; again after a release."""

    kind: ClassVar[str] = "scrape_failed"
    job: str
    error: str


@dataclass(frozen=True)
class Restarted(Event):
    """A service that had ended was started again and is ready."""

    kind: ClassVar[str] = "restarted"
    service: str


@dataclass(frozen=True)
class Switched(Event):
    """Switches of the service were turned; None: put back."""

    kind: ClassVar[str] = "switched"
    switches: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SignalSeen(Event):
    """The rule's expression first had a result at `t`, read back from the observer afterwards."""

    kind: ClassVar[str] = "signal_seen"
    alert: str


@dataclass(frozen=True)
class CulpritFound(Event):
    """The metric with the most series and its label with the most values, as the TSDB itself ranks them."""

    kind: ClassVar[str] = "culprit_found"
    metric: str
    label: str
    values: int


@dataclass(frozen=True)
class Studied(Event):
    """How often the rules of a deployment fired on back-filled days.

    `alerts`: alerts that people would have been told of; `short`: those of them that resolved within five minutes;
    `on_trial`: alerts of rules in a dry run; `seen`: of the days' incidents those for which one fired.
    """

    kind: ClassVar[str] = "studied"
    what: Literal["broken", "fixed"]
    days: int
    alerts: int
    short: int
    on_trial: int
    incidents: int
    seen: int


@dataclass(frozen=True)
class DashboardLive(Event):
    """A deployment brought a dashboard: the titles of its panels."""

    kind: ClassVar[str] = "dashboard_live"
    what: Literal["healthy", "broken", "fixed"]
    panels: tuple[str, ...]


@dataclass(frozen=True)
class Answered(Event):
    """What the patient answered to an instant query about the moment `at` of the past; `value` None: no result."""

    kind: ClassVar[str] = "answered"
    question: str
    at: float
    value: float | None


@dataclass(frozen=True)
class SmokeTested(Event):
    """A release was live and its smoke test made: the exit code of `lab lint smoke`, and what it said."""

    kind: ClassVar[str] = "smoke_tested"
    code: int
    said: str


@dataclass(frozen=True)
class GapMeasured(Event):
    """The counter of queries has samples again: those before and after the gap, in Unix seconds; read back."""

    kind: ClassVar[str] = "gap_measured"
    last: float
    first: float


@dataclass(frozen=True)
class Unmeasured(Event):
    """The lab could not measure something; the run is inconclusive from here."""

    kind: ClassVar[str] = "unmeasured"
    reason: str


@dataclass(frozen=True)
class Skipped(Event):
    """A capability that this machine lacks; the checks that need it are skipped with the reason."""

    kind: ClassVar[str] = "skipped"
    capability: str
    reason: str


@dataclass(frozen=True)
class RunEnded(Event):
    """Everything is stopped; nothing more will happen."""

    kind: ClassVar[str] = "run_ended"


KINDS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        PhaseStarted, PhaseEnded, Deployed, Notified, LogSeen, Exited,
        Restarted, ScrapeFailed, Switched, SignalSeen, CulpritFound, Studied, DashboardLive, Answered,
        SmokeTested, GapMeasured,
        Unmeasured, Skipped, RunEnded,
    )
}  # fmt: skip


def to_record(event: Event) -> dict[str, Any]:
    """The event as a JSON object."""
    return {"type": "event", "kind": event.kind, **asdict(event)}


def from_record(record: Mapping[str, Any]) -> Event:
    """The event a JSON object stands for; raises `ValueError` on an unknown kind or a missing field."""
    cls = KINDS.get(str(record.get("kind")))
    if cls is None:
        raise ValueError(f"unknown event kind {record.get('kind')!r}")
    values = {f.name: record[f.name] for f in fields(cls) if f.name in record}
    for name in ("files", "panels"):
        if name in values:
            values[name] = tuple(values[name])
    try:
        values["t"] = float(record["t"])
        require(cls, values)
        return cls(**values)
    except (TypeError, KeyError) as error:
        raise ValueError(f"{cls.kind}: {error}") from error
