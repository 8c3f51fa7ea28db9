"""When a rule's expression first had a result, asked afterwards of the server that has the rule."""

from __future__ import annotations

import math
import time
from contextlib import suppress

from lab.events import Deployed, SignalSeen
from lab.journal import Journal
from lab.prom import ApiError, Prometheus
from lab.stack import Stack


def read_back_signal(stack: Stack, journal: Journal) -> None:
    """Record `SignalSeen` of the run's own alerts, counted from `broken/` on; nothing where no server answers."""
    live = journal.snapshot().first(Deployed, what="broken")
    if live is None:
        return
    start = math.ceil(live.t * 1000) / 1000  # the servers count in milliseconds
    step = max(0.1, journal.header.evaluation_interval_s / 4)
    for name in ("observer:9090", "prometheus:9090"):
        with suppress(ApiError):  # and not the end of the run's time
            server = Prometheus(stack.address(name), timeout_s=5.0)
            for rule in server.alert_rules():
                if rule.name in journal.header.own_alerts:
                    seen = server.first_result(rule.query, start, time.time(), step)
                    if seen is not None:
                        journal.record(SignalSeen(seen, rule.name))
            server.close()
