"""What is seen of the teaching stack: its services, alerts that are active, notifications that arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from lab.classroom.status import AlertStatus, FaultStatus, ServiceStatus, Status, Told
from lab.errors import LabError
from lab.plan import HEARTBEAT
from lab.prom import Prometheus
from lab.stack import Stack

if TYPE_CHECKING:
    from lab.classroom.owner import Owner

SERVERS = ("prometheus", "observer")
"""Those that evaluate rules: the patient and who watches it."""
LAST = 10
"""Notifications that are shown."""


def alerts(stack: Stack) -> tuple[tuple[AlertStatus, ...], tuple[str, ...]]:
    """Alerts that are pending or firing at the patient and at the observer; and servers that did not answer."""
    found: list[AlertStatus] = []
    silent = []
    for server in SERVERS:
        client = Prometheus(stack.address(f"{server}:9090"))
        try:
            rules = client.alert_rules()
        except LabError:
            silent.append(server)
            continue
        finally:
            client.close()
        found += [AlertStatus(r.name, r.state, server) for r in rules if r.state != "inactive" and r.name != HEARTBEAT]
    return tuple(found), tuple(silent)


def notifications(stack: Stack) -> tuple[Told, ...]:
    """The last ones, newest last. Raises `httpx.HTTPError` when the receiver does not answer."""
    url = f"http://{stack.address('receiver:9099')}/notifications"
    body = httpx.get(url, timeout=2.0, trust_env=False).json()
    return tuple(
        Told(n["at"], n["status"], n["alert"], n["route"], n["annotations"].get("summary", "") or n["text"])
        for n in body["notifications"][-LAST:]
    )


def status(owner: Owner) -> Status:
    """A look at everything; servers that do not answer are named."""
    active, silent = alerts(owner.stack)
    try:
        told = notifications(owner.stack)
    except (httpx.HTTPError, ValueError):
        told, silent = (), (*silent, "receiver")
    prepared, served = owner.prepared, owner.recent.requests_per_s
    return Status(
        made_for=prepared.label,
        runtime=owner.runtime.name,
        speed=prepared.options.speed,
        seed=prepared.options.seed,
        users=prepared.scenario.load.users,
        since=owner.since,
        run_dir=str(owner.run_dir),
        services=_services(owner),
        metrics_url=f"http://{owner.stack.address('rag:8001')}/metrics",
        requests_per_s=None if served is None else round(served, 1),
        fault=_fault(owner),
        alerts=active,
        silent=silent,
        notifications=told,
        happened=owner.happened,
    )


def _services(owner: Owner) -> tuple[ServiceStatus, ...]:
    urls, running = owner.stack.urls(), dict(owner.stack.running)
    return tuple(
        ServiceStatus(name, name in running and running[name].exit_code() is None, urls.get(name, ""))
        for name in owner.names
    )


def _fault(owner: Owner) -> FaultStatus | None:
    live = owner.live
    if live is None:
        return None
    return FaultStatus(live.label, live.what, live.since, tuple(owner.stack.live.files))
