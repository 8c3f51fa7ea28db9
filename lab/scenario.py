"""The vocabulary: what a scenario is made of. Pure data; no I/O.

A scenario is a deployment that hurts (`broken/`), one that cures (`fixed/`), and what must be seen in
between. Waits are written in simulated time, as a production system would need them; `--speed` divides
them. What is physics and not rule timing (a process start, a network round trip) is written in real time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from lab.past import Backfill as Backfill
from lab.per_time import PerTime as PerTime
from lab.scale import Replicas as Replicas

if TYPE_CHECKING:
    from lab.events import Exited
    from lab.view import View

K = TypeVar("K")

DEFAULT_SPEED = 15.0
"""How many times faster than production timings a run goes where nobody says."""


class Result(StrEnum):
    """The result of one check."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """The verdict of a run, and with it the exit code."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 inconclusive."""
        return {"pass": 0, "fail": 1, "inconclusive": 3}[self.value]


class Mode(StrEnum):
    """How a condition must hold in time."""

    ALWAYS = "always"
    EVENTUALLY = "eventually"
    HOLDS = "holds"


class Phase(StrEnum):
    """The phases of a run, in their order; a control run has steady and control."""

    STEADY = "steady"
    BROKEN = "broken"
    FIXED = "fixed"
    CONTROL = "control"


@dataclass(frozen=True)
class Wait:
    """A length of time: simulated seconds, which `--speed` divides, plus real seconds, which it does not."""

    simulated_s: float = 0.0
    real_s: float = 0.0

    def seconds(self, speed: float) -> float:
        """Real seconds at a speed."""
        return self.simulated_s / speed + self.real_s

    def __add__(self, other: Wait) -> Wait:
        return Wait(self.simulated_s + other.simulated_s, self.real_s + other.real_s)


class Condition(Protocol):
    """Something that is true or false at a moment of a run, or unknown (None) where nothing was measured."""

    @property
    def expected(self) -> str:
        """What must be true, in words: "head series > 10,000"."""
        ...

    def at(self, view: View, t: float) -> bool | None:
        """Whether it is true at Unix time `t`; None when the run does not say."""
        ...

    def observed(self, view: View, t: float) -> str:
        """What was seen at `t`, in words: "12,345"."""
        ...


@dataclass(frozen=True)
class Check:
    """A condition, how it must hold, and how long one waits for it. Copies are made by the methods."""

    name: str
    condition: Condition
    mode: Mode = Mode.EVENTUALLY
    deadline: Wait = field(default_factory=lambda: Wait(simulated_s=480, real_s=10))
    hold: Wait = field(default_factory=Wait)
    hold_past_onset: bool = False
    needs: str = ""
    guard: bool = False
    excuses: bool = True
    """Of a guard: whether failures of its phase say nothing when it does not hold."""
    certain: bool = False
    """Whether its failure stands where its phase could not be measured, because it is the reason why."""

    def within(self, *, minutes: float = 0.0, real_s: float = 10.0) -> Check:
        """The same check with another deadline: simulated minutes plus real seconds."""
        return replace(self, deadline=Wait(simulated_s=60 * minutes, real_s=real_s))

    def holds_for(self, *, minutes: float = 0.0, real_s: float = 0.0) -> Check:
        """Must stay true for so long without a break."""
        return replace(self, mode=Mode.HOLDS, hold=Wait(simulated_s=60 * minutes, real_s=real_s))

    def holds_longer_than_onset(self, *, minutes: float = 0.0, real_s: float = 0.0) -> Check:
        """Must stay true for longer than `broken/` needed to show its first symptom, and at least so long."""
        return replace(self.holds_for(minutes=minutes, real_s=real_s), hold_past_onset=True)

    def always(self) -> Check:
        """Must be true at every moment of its phase."""
        return replace(self, mode=Mode.ALWAYS)

    def needing(self, capability: str) -> Check:
        """Skipped, with the reason, on a machine that lacks the capability."""
        return replace(self, needs=capability)


Shape = Literal["steady", "spike", "ramp", "double-halve"]


@dataclass(frozen=True)
class Load:
    """Traffic: a locustfile of the scenario and how much of it.

    `per_user` is in requests per second of *simulated* time, so that a run at `--speed 1` tells the same
    story slowly: at speed 15, 20 users x 2.0 are 600 requests a second.
    """

    locustfile: str = "locustfile.py"
    users: int = 20
    per_user: float = 2.0
    shape: Shape = "steady"
    """How the number of users goes with time, as in `lab.loadgen.shapes`."""

    def rate(self, speed: float) -> float:
        """Requests per real second of all users together."""
        return self.users * self.per_user * speed


BOUNDED_VOLUME = "volume of bounded size"
"""The capability a scenario needs to fill a disk without filling the machine's."""


@dataclass(frozen=True)
class Storage:
    """Where the patient's Prometheus keeps its data.

    `size_mib` bounds it during `broken/`; `healed_mib` is what the fix brings it back with.
    """

    size_mib: float | None = None
    healed_mib: float = 64.0


@dataclass(frozen=True)
class Patient:
    """How the patient's Prometheus is run, the same in `broken/` and `fixed/`.

    `flags` by name without the dashes, such as {"query.timeout": "1s"}. `production_time`: its rules and its
    query lookback are not compressed, because its history is not (scrapes are).
    """

    flags: Mapping[str, str] = field(default_factory=dict)
    production_time: bool = False


@dataclass(frozen=True)
class Act:
    """Turn switches of the service at a moment of a phase, counted from its deployment being live.

    `switches` by their names at `/admin/switches`, such as {"latency_ms": 900}; None puts one back.
    """

    phase: Phase
    after: Wait
    switches: Mapping[str, float | None]


@dataclass(frozen=True)
class Study:
    """Days of the service's latency, back-filled: the alerting rules of both deployments are judged on them as written.

    Each day has one incident at noon; `incident`: switches as of an `Act`, of which `latency_ms` is played.
    `cached`: the share of queries that the cache answers.
    """

    days: int
    incident: Mapping[str, float]
    incident_length: Wait
    cached: float = 0.4


@dataclass(frozen=True)
class Scenario:
    """One failure: its story, its traffic, and the checks of each phase."""

    name: str
    title: str
    load: Load
    onset: tuple[Check, ...]
    detected: tuple[Check, ...]
    damage: tuple[Check, ...]
    recovered: tuple[Check, ...]
    alerts: tuple[str, ...]
    """The scenario's own alerts: each must fire because of this fault."""
    consequences: tuple[str, ...] = ()
    """Alerts that this fault may also raise; any other alert is an error."""
    undisturbed: tuple[Check, ...] = ()
    """What must have been so in broken/ for a failure there to count: otherwise it was the machine's doing."""
    seen_before_damage: bool = True
    """The promise that the alert arrives before it hurts; its order is asserted from timestamps."""
    service: Mapping[str, str | Wait | PerTime] = field(default_factory=dict)
    """Options of the mock service, by their RAG_* environment name without the prefix; a `Wait` in real seconds."""
    refuses: tuple[Phase, ...] = ()
    """Phases in which the service refuses queries because of this fault: one that was refused was made all the same."""
    storage: Storage = field(default_factory=Storage)
    wipe_on_fix: bool = False
    """Whether the fix brings the patient's Prometheus back with empty storage."""
    dies: tuple[str, ...] = ()
    """Services that this fault kills; any other that ends by itself makes the run inconclusive."""
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    """Of those in `dies` that end by themselves, the exit code: one that ends in another way was ended from outside."""
    restarts: bool = False
    """Whether a service that the fault killed is started again, as an orchestrator would."""
    memory_mib: Mapping[str, float] = field(default_factory=dict)
    """Memory limits by service. Natively the lab enforces them and says so; in containers the kernel does."""
    patient: Patient = field(default_factory=Patient)
    backfill: Backfill | None = None
    replicas: Replicas | None = None
    """At a scale: further replicas of the service, which the patient scrapes, too."""
    acts: tuple[Act, ...] = ()
    study: Study | None = None
    watcher: Literal["observer", "prometheus"] = "observer"
    """Which server evaluates `detect.rules.yml`: the observer, or the patient itself where that is not what is ill."""
    goes_dark: tuple[str, ...] = ()
    """Jobs whose metrics page this fault takes away: that they can't be scraped is no doubt about the run."""
    top_speed: float = DEFAULT_SPEED
    """How fast it can be played on two cores with room to spare; a series of all goes so fast where nobody says."""
    kind: Literal["monitoring", "service"] = "monitoring"
    """Whether the monitoring fails, or the service that it monitors."""
    variant: str = "default"
    """The name of what `broken/` holds. The others, in `variants/`, get theirs from their folder."""

    @property
    def label(self) -> str:
        """The name as `lab run` takes it: `name` or `name:variant`."""
        return self.name if self.variant == "default" else f"{self.name}:{self.variant}"

    def kills(self, ended: Exited) -> bool:
        """Whether this end of a service is the fault's doing."""
        return ended.service in self.dies and ended.as_meant(self.exit_codes.get(ended.service))

    def phase_checks(self, phase: Phase) -> tuple[Check, ...]:
        """The scenario's own checks of a phase, in the order of the story."""
        if phase is Phase.BROKEN:
            return (*self.onset, *self.detected, *self.damage)
        return self.recovered if phase is Phase.FIXED else ()

    def conditions(self, kind: type[K]) -> tuple[K, ...]:
        """The conditions of one kind that its checks look at, in the order of the story."""
        checks = [check for phase in Phase for check in self.phase_checks(phase)]
        return tuple(check.condition for check in checks if isinstance(check.condition, kind))


@dataclass(frozen=True)
class CheckResult:
    """How one check came out. `at`: Unix time of the deciding moment; `since`: when it began to hold."""

    name: str
    mode: Mode
    expected: str
    observed: str
    result: Result
    reason: str = ""
    at: float | None = None
    since: float | None = None
    guard: bool = False
    excuses: bool = True
    certain: bool = False
