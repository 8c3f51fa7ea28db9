"""The bill of a run at a scale: series, memory, disk, time; and whether this machine can pay it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.budget import longest_s
from lab.doctor import available_memory, existing, look_at_volume
from lab.endpoints import PATIENT
from lab.errors import LabError
from lab.plan import Plan

STACK_MIB = 800.0
"""Resident memory of all services at the default speed, measured and rounded up; a bill has the patient's apart."""
REPLICA_MIB = 50.0
REPLICA_SERIES_BYTES = 400.0
"""What a replica holds of each series, the text of its line, and again while it is sent."""
EVIDENCE_MIB = 200.0
"""On disk: the run's folder, with room to spare."""
START_S = 60.0
"""Starting, deploying and stopping, on two busy cores."""


@dataclass(frozen=True)
class Bill:
    """What a run takes at most. The patient's volume is a tmpfs: where it is bounded it counts as memory."""

    series: int
    patient_mib: float
    volume_mib: float
    replicas_mib: float
    time_s: float

    @property
    def memory_mib(self) -> float:
        """All together."""
        return self.patient_mib + self.volume_mib + self.replicas_mib + STACK_MIB


@dataclass(frozen=True)
class Room:
    """What a machine has to spare. `bounds`: a volume can be bounded here, so that its data are in memory."""

    memory_mib: float
    disk_mib: float
    bounds: bool = True


def bill_of(plan: Plan) -> Bill | None:
    """The bill; None without a scale."""
    scenario, replicas = plan.scenario, plan.scenario.replicas
    if replicas is None:
        return None
    return Bill(
        series=replicas.series,
        patient_mib=scenario.memory_mib.get(PATIENT, 0.0),
        volume_mib=scenario.storage.size_mib or 0.0,
        replicas_mib=replicas.count * REPLICA_MIB + replicas.series * REPLICA_SERIES_BYTES / 2**20,
        time_s=START_S + longest_s(scenario, plan.header),
    )


def room(out: Path) -> Room:
    """Of this machine, now. Disk: where runs (`out`) and temporary data are written, whichever has less."""
    places = (existing(out.absolute()), Path(tempfile.gettempdir()))
    free = min(shutil.disk_usage(place).free for place in places)
    return Room(available_memory() / 2**20, free / 2**20, look_at_volume().status == "ok")


def lacking(bill: Bill, here: Room) -> str:
    """What is needed and what is here, in words; nothing where it suffices."""
    on_disk_mib = 0.0 if here.bounds else bill.volume_mib
    memory_mib, disk_mib = bill.memory_mib - on_disk_mib, EVIDENCE_MIB + on_disk_mib
    if memory_mib > here.memory_mib:
        return f"needs {gib(memory_mib)} of memory to spare; here are {gib(here.memory_mib)}"
    if disk_mib > here.disk_mib:
        return f"needs {gib(disk_mib)} of disk to spare; here are {gib(here.disk_mib)}"
    return ""


def require_room(plan: Plan) -> None:
    """Refuse a scale that this machine is too small for. Raises `LabError` in one line."""
    bill = bill_of(plan)
    if bill is not None and (why := lacking(bill, room(plan.options.out))):
        raise LabError(f"--scale {plan.header.scale}: {why}; take a smaller scale or a larger machine")


def bill_lines(plan: Plan) -> list[str]:
    """The bill for `--dry-run`, with what is here beside it."""
    bill, replicas = bill_of(plan), plan.scenario.replicas
    if bill is None or replicas is None:
        return []
    here = room(plan.options.out)
    why = lacking(bill, here)
    return [
        "",
        f"bill of --scale {plan.header.scale}",
        f"  series   {bill.series:,} from {replicas.count} replicas of the service, beside those of the traffic",
        f"  memory   {gib(bill.memory_mib)} at most; here are {gib(here.memory_mib)} to spare",
        f"           Prometheus {gib(bill.patient_mib)} (its limit), its volume {gib(bill.volume_mib)} (a tmpfs),"
        f" replicas {gib(bill.replicas_mib)}, all else {gib(STACK_MIB)}",
        f"  disk     {EVIDENCE_MIB:.0f} MiB; where no volume can be bounded, {gib(bill.volume_mib)} more;"
        f" here are {gib(here.disk_mib)}",
        f"  time     {bill.time_s / 60:.0f} min at most, at speed {plan.header.speed:g}"
        f" (no faster than {replicas.top_speed:g} at this scale)",
        *([f"  refused  {why}"] if why else []),
    ]


def gib(mib: float) -> str:
    """Memory or disk as it is told to people."""
    return f"{mib / 1024:.1f} GiB"
