"""The stack of `lab up` without a scenario: what most faults can be deployed into."""

from __future__ import annotations

from lab.catalog import find, names
from lab.scenario import Load, Scenario, Storage

SERVICE = {"llm_latency_ms": "4"}
"""The service as it behaves where a scenario asks for nothing special."""
LOAD = Load("teaching.py", users=100, per_user=0.2)
"""20 queries a second of production time; at the default speed 15 they are 300."""
DISK_MIB = 64.0
"""The patient's disk while nothing is broken, where it can be bounded."""


def general() -> Scenario:
    """Traffic and limits that the lab's scenarios share: a memory limit of one of them holds for all."""
    memory: dict[str, float] = {}
    for found in map(find, names()):
        for service, mib in found.scenario.memory_mib.items():
            memory[service] = min(mib, memory.get(service, mib))
    return Scenario(
        name="any",
        title="The teaching stack",
        load=LOAD,
        service=SERVICE,
        storage=Storage(DISK_MIB, healed_mib=DISK_MIB),
        memory_mib=memory,
        alerts=(),
        onset=(),
        detected=(),
        damage=(),
        recovered=(),
    )
