"""People who look at a dashboard: what their browsers ask Prometheus, and what they see instead of an answer."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any
from urllib.parse import urlencode

import gevent
from locust import FastHttpUser, task

from lab.dashboard import Dashboard, Panel
from lab.loadgen.settings import dashboard, generator, prometheus_url

_numbers = itertools.count()


class Viewer(FastHttpUser):
    """One browser with the live dashboard open. Requests are named "panel TITLE"; no data is a failure, too.

    Panels are asked for one after the other: a browser asks for all at once, which is harder on the server.
    """

    abstract = True
    _refresh_at = 0.0

    def on_start(self) -> None:
        """Browsers do not all refresh at once."""
        gevent.sleep(generator(next(_numbers)).random() * dashboard().refresh_s)

    @task
    def look(self) -> None:
        """Ask for every panel."""
        board, begun = dashboard(), time.monotonic()
        for panel in board.panels:
            if dashboard() != board:  # a new version is open at once
                self._refresh_at = 0.0
                return
            for expr in panel.exprs:
                self.ask(board, panel, expr)
        self._refresh_at = max(begun + board.refresh_s, time.monotonic() + 0.2)

    def wait_time(self) -> float:
        """Until the next refresh. Not a sleep of its own in the task: who only waits is let go at once at the end."""
        return max(0.0, self._refresh_at - time.monotonic())

    def ask(self, board: Dashboard, panel: Panel, expr: str) -> None:
        """One range query, as Grafana sends it; a failure reads as Grafana shows it."""
        step = board.step_s(panel)
        end = time.time() // step * step
        form = urlencode({"query": expr, "start": end - board.range_s, "end": end, "step": step})
        with self.client.post(
            f"{prometheus_url()}/api/v1/query_range",
            data=form,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            name=f"panel {panel.title}",
            catch_response=True,
        ) as response:
            body = _json(response.text)
            if body.get("status") == "error":
                response.failure(f"{body.get('errorType')}: {body.get('error')}")
            elif not body.get("data", {}).get("result"):
                response.failure("No data" if body else f"HTTP {response.status_code}")
            else:
                response.success()


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
