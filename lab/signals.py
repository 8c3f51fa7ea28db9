"""Names of the samples that the lab takes once a second; journal, checks and charts share them."""

from __future__ import annotations

HEAD_SERIES = "head_series"
"""Series in the head of the patient's TSDB, from its raw /metrics (PromQL about it stops with the disk)."""
APPENDED = "samples_appended"
"""Samples that the patient has stored since its start, from its raw /metrics."""
OBSERVER_HEAD_SERIES = "observer_head_series"
DISK_USED_BYTES = "disk_used_bytes"
DISK_SIZE_BYTES = "disk_size_bytes"
RPS = "requests_per_s"
"""Requests that were answered without error, per second, as the load generator counts them."""
FAILURES = "failures_per_s"
USERS = "users"
P95_S = "latency_p95_s"
PANEL_P95_S = "panel_p95_s"
"""95th percentile of a dashboard's queries in seconds, as its viewers see them; absent in seconds without any."""
PANEL_SERVED = "panel_served_per_s"
PANEL_FAILED = "panel_failed_per_s"
"""Panels that showed an error, or no data."""
QUERIES = "rag_queries_total"
COUNTED = "queries_counted"
"""sum(rag_queries_total) as the patient's Prometheus answers it."""
COUNTED_AGE_S = "queries_counted_age_s"
"""Age in seconds of the newest sample behind COUNTED."""
EVALUATION_AGE_S = "evaluation_age_s"
"""Seconds since the observer last evaluated its rules."""
SPENT_USD = "spent_usd"
"""US dollars in the service's own books (`/costs`) since it was started."""
INACTIVE, PENDING, FIRING = 0.0, 1.0, 2.0


def counted(metric: str) -> str:
    """The sum of a counter over its series, as the patient's Prometheus answers it."""
    return COUNTED if metric == QUERIES else f"counted:{metric}"


def figure(label: str) -> str:
    """The result of an expression that a check of the scenario asks the patient's Prometheus for."""
    return f"figure:{label}"


def panel(title: str) -> str:
    """Answers with data per second for the panel of this title; absent in seconds without any."""
    return f"panel:{title}"


def rss(service: str) -> str:
    """Resident memory of a service in bytes, as the host exporter sees it."""
    return f"rss_bytes:{service}"


def ready(service: str) -> str:
    """HTTP status of a service's readiness endpoint; 0 when it does not answer."""
    return f"ready:{service}"


def up(job: str) -> str:
    """`up` of a job in the patient's own eyes."""
    return f"up:{job}"


def scrape_s(job: str) -> str:
    """Seconds that the patient's last scrape of a job took; one that failed took until it was given up."""
    return f"scrape_s:{job}"


def exposed(job: str) -> str:
    """Samples on the page at the patient's last scrape of a job; 0 when the scrape failed."""
    return f"exposed:{job}"


def added(job: str) -> str:
    """Series in the patient's last scrape of a job that the one before did not have."""
    return f"added:{job}"


def seen_up(job: str) -> str:
    """`up` of a job in the observer's eyes."""
    return f"seen_up:{job}"


def alert_state(name: str) -> str:
    """State of an alerting rule: INACTIVE, PENDING or FIRING."""
    return f"alert:{name}"
