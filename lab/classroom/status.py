"""What the teaching stack is doing, as `lab status` tells it and as `--json` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ServiceStatus:
    """One service; `url` is empty where there is nothing to open."""

    name: str
    up: bool
    url: str = ""


@dataclass(frozen=True)
class FaultStatus:
    """The fault that was switched on; `what`: broken, or fixed since `since` (Unix seconds)."""

    name: str
    what: str
    since: float
    files: tuple[str, ...]


@dataclass(frozen=True)
class AlertStatus:
    """An alert that is pending or firing at a server."""

    name: str
    state: str
    server: str


@dataclass(frozen=True)
class Told:
    """A notification that reached the channel; `at`: Unix seconds."""

    at: float
    status: str
    alert: str
    route: str
    summary: str


@dataclass(frozen=True)
class Happened:
    """Something that happened without being asked for, such as a service that ended; `at`: Unix seconds."""

    at: float
    what: str


@dataclass(frozen=True)
class Turn:
    """What is live from `at` (Unix seconds) on; `fault`: of which fault, empty for the healthy stack."""

    at: float
    what: str
    fault: str


@dataclass(frozen=True)
class Status:
    """A look at the whole stack. `silent`: servers that did not answer, so that no alerts is not taken for none."""

    made_for: str
    runtime: str
    speed: float
    seed: int
    users: int
    since: float
    run_dir: str
    services: tuple[ServiceStatus, ...]
    metrics_url: str
    requests_per_s: float | None
    fault: FaultStatus | None
    alerts: tuple[AlertStatus, ...]
    silent: tuple[str, ...]
    notifications: tuple[Told, ...]
    happened: tuple[Happened, ...]

    def to_json(self) -> dict[str, Any]:
        """For `--json` and for the way from the owner to a command."""
        return {"up": True, **asdict(self)}


def from_json(found: Mapping[str, Any]) -> Status:
    """What `to_json` has made."""
    known = {name: value for name, value in found.items() if name != "up"}
    fault = known["fault"]
    return Status(
        **{
            **known,
            "services": tuple(ServiceStatus(**one) for one in known["services"]),
            "fault": FaultStatus(**{**fault, "files": tuple(fault["files"])}) if fault else None,
            "alerts": tuple(AlertStatus(**one) for one in known["alerts"]),
            "silent": tuple(known["silent"]),
            "notifications": tuple(Told(**one) for one in known["notifications"]),
            "happened": tuple(Happened(**one) for one in known["happened"]),
        }
    )
