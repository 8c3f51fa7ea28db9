"""A typed client of the Prometheus HTTP API: <https://prometheus.io/docs/prometheus/latest/querying/api/>."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from lab.errors import LabError


class ApiError(LabError):
    """The server did not answer, or answered an error."""


@dataclass(frozen=True)
class Point:
    """One element of an instant vector: Unix time in seconds and value."""

    labels: Mapping[str, str]
    t: float
    value: float


@dataclass(frozen=True)
class Series:
    """One element of a range's answer: (Unix time in seconds, value) at each step at which there is one."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule as the server sees it; `state`: inactive, pending or firing."""

    name: str
    state: str
    query: str
    health: str
    last_error: str
    last_evaluation: float
    group: str


@dataclass(frozen=True)
class Ranked:
    """The server's own ranking of what multiplies: metrics by series, labels by values."""

    metrics: tuple[tuple[str, int], ...]
    labels: tuple[tuple[str, int], ...]


class Prometheus:
    """One server. Every call has a deadline in seconds; errors are `ApiError`."""

    def __init__(self, address: str, *, timeout_s: float = 2.0) -> None:
        self._http = httpx.Client(base_url=f"http://{address}", timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status_of(self, path: str) -> int:
        """HTTP status of a GET; 0 when nobody answers."""
        try:
            return self._http.get(path).status_code
        except httpx.HTTPError:
            return 0

    def _get(self, path: str, params: Mapping[str, str | float] | None = None) -> Any:
        try:
            answer = self._http.get(path, params=dict(params or {}))
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ApiError(f"{self._http.base_url}{path}: {type(error).__name__}") from error
        if body.get("status") != "success":
            raise ApiError(f"{body.get('errorType')}: {body.get('error')}")
        return body["data"]

    def query(self, expr: str, at: float | None = None) -> list[Point]:
        """An instant query, about now or Unix time `at`; scalars come back as one point without labels."""
        data = self._get("/api/v1/query", {"query": expr} if at is None else {"query": expr, "time": at})
        if data["resultType"] == "scalar":
            return [Point({}, float(data["result"][0]), float(data["result"][1]))]
        return [Point(r["metric"], float(r["value"][0]), float(r["value"][1])) for r in data["result"]]

    def number(self, expr: str, at: float | None = None) -> float | None:
        """The value of an instant query with one element; None where there is none."""
        points = self.query(expr, at)
        return points[0].value if points else None

    def first_result(self, expr: str, start: float, end: float, step: float) -> float | None:
        """The first moment in [start, end] at which an expression has a result."""
        params: dict[str, str | float] = {"query": expr, "start": start, "end": end, "step": step}
        data = self._get("/api/v1/query_range", params)
        return min((float(r["values"][0][0]) for r in data["result"] if r["values"]), default=None)

    def results(self, expr: str, start: float, end: float, step: float) -> list[Series]:
        """A range query: at most 11,000 steps, says the server."""
        params: dict[str, str | float] = {"query": expr, "start": start, "end": end, "step": step}
        data = self._get("/api/v1/query_range", params)
        return [Series(r["metric"], tuple((float(t), float(v)) for t, v in r["values"])) for r in data["result"]]

    def stored(self, selector: str, seconds: int) -> list[Series]:
        """The samples of the last `seconds` as they are stored, each with the moment at which it was scraped."""
        data = self._get("/api/v1/query", {"query": f"{selector}[{seconds}s]"})
        return [Series(r["metric"], tuple((float(t), float(v)) for t, v in r["values"])) for r in data["result"]]

    def scrape_errors(self) -> dict[str, str]:
        """Why the last scrape of a job failed, in the server's words; jobs whose targets are all up are absent."""
        targets = self._get("/api/v1/targets", {"state": "active"})["activeTargets"]
        return {str(t["labels"]["job"]): str(t["lastError"]) for t in targets if t["health"] == "down"}

    def alert_rules(self) -> list[AlertRule]:
        """All alerting rules with their states."""
        data = self._get("/api/v1/rules", {"type": "alert"})
        return [_alert_rule(rule, group["name"]) for group in data["groups"] for rule in group["rules"]]

    def head_series(self) -> float | None:
        """Series in the head, from the raw metrics page: PromQL about it stops with the disk."""
        return self.own_metric("prometheus_tsdb_head_series")

    def own_metric(self, name: str) -> float | None:
        """A metric without labels from the server's own metrics page."""
        return self.own_metrics(name).get(name)

    def own_metrics(self, *names: str) -> dict[str, float]:
        """Metrics from the server's own page, summed over their labels; those that it has not are absent."""
        found: dict[str, float] = {}
        with suppress(httpx.HTTPError):
            page = self._http.get("/metrics").text
            for name in names:
                values = re.findall(rf"^{re.escape(name)}(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)
                if values:
                    found[name] = sum(map(float, values))
        return found

    def ranked(self) -> Ranked:
        """The server's own statistics of its head: `/api/v1/status/tsdb`."""
        data = self._get("/api/v1/status/tsdb")

        def pairs(key: str) -> tuple[tuple[str, int], ...]:
            return tuple((str(row["name"]), int(row["value"])) for row in data[key])

        return Ranked(pairs("seriesCountByMetricName"), pairs("labelValueCountByLabelName"))

    def label_values(self, label: str, metric: str) -> int:
        """How many values a label has on a metric."""
        return len(self._get(f"/api/v1/label/{label}/values", {"match[]": metric}))

    def version(self) -> str:
        """Such as 2.42.0."""
        return str(self._get("/api/v1/status/buildinfo")["version"])


def _alert_rule(rule: Mapping[str, Any], group: str) -> AlertRule:
    evaluated = str(rule.get("lastEvaluation", ""))
    return AlertRule(
        name=rule["name"],
        state=rule["state"],
        query=rule["query"],
        health=rule.get("health", ""),
        last_error=rule.get("lastError", ""),
        last_evaluation=unix(evaluated),
        group=group,
    )


def unix(text: str) -> float:
    """RFC 3339 with nanoseconds, as Go writes it, to Unix seconds; 0.0 for Go's zero time."""
    if not text or text.startswith("0001-"):
        return 0.0
    head, _, tail = text.partition(".")
    fraction = ""
    while tail and tail[0].isdigit():
        fraction, tail = fraction + tail[0], tail[1:]
    zone = (tail if fraction else text[19:]).replace("Z", "+00:00")
    return datetime.fromisoformat(f"{head[:19]}{zone}").timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
