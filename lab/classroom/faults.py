"""What may be switched into which stack: decided from what is live, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lab.catalog import Found
from lab.classroom.general import SERVICE
from lab.errors import UsageError
from lab.scenario import Scenario

Switch = Literal["on", "off", "fix"]


@dataclass(frozen=True)
class Live:
    """A fault that was switched on (broken) and perhaps fixed since; `since`: Unix seconds."""

    found: Found
    what: Literal["broken", "fixed"]
    since: float

    @property
    def label(self) -> str:
        """As `lab fault` takes it."""
        return self.found.scenario.label


def wanted(live: Live | None, found: Found, switch: Switch) -> bool:
    """Whether a switch changes anything. Raises `UsageError` where it makes no sense now."""
    label = found.scenario.label
    same = live is not None and (live.found.folder, live.label) == (found.folder, label)
    if switch == "on":
        if live is not None and live.what == "broken" and not same:
            raise UsageError(f"{live.label} is on; turn it off first: lab fault {live.label} off")
        return live is None or live.what == "fixed"
    if switch == "off" and live is None:
        return False
    if not same:
        raise UsageError(f"{label} is not on" + (f"; {live.label} is" if live else f"; lab fault {label} on"))
    assert live is not None
    return switch == "off" or live.what == "broken"


def lacking(found: Found, stack: Scenario, rules: Mapping[str, str]) -> list[str]:
    """What a fault needs and the stack has not, in words. `rules`: the detection rules that the stack carries."""
    wants = found.scenario
    needs: list[str] = []
    if wants.storage.size_mib is not None and stack.storage.size_mib is None:
        needs.append("a disk of bounded size")
    needs += [f"a memory limit of {service}" for service in wants.memory_mib if service not in stack.memory_mib]
    if wants.backfill is not None and wants.backfill != stack.backfill:
        needs.append("a past")
    if wants.patient != stack.patient:
        needs.append("a Prometheus with other flags or timings")
    if wants.service not in (stack.service, SERVICE, {}):
        needs.append("a service that behaves otherwise")
    own = {name: path for name, path in found.rules().items() if path.parent == found.folder}
    if any(rules.get(name) != path.read_text(encoding="utf-8") for name, path in own.items()):
        needs.append("its own detection rules")
    return needs
