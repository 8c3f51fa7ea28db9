"""What the servers of the teaching stack see: alerts that are active, notifications that arrived."""

from __future__ import annotations

import httpx

from lab.classroom.status import AlertStatus, Told
from lab.errors import LabError
from lab.plan import HEARTBEAT
from lab.prom import Prometheus
from lab.stack import Stack

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
