"""The dashboard of the monitoring itself: who watches the watchers."""

from __future__ import annotations

from dataclasses import replace

from panels import GREEN, NONE, OBSERVER, PATIENT, RED, YELLOW, Query, Steps, alert_list, graph, mapping, number, states
from sections import Section


def ask(expr: str, legend: str) -> Query:
    """The observer is asked: the patient cannot say what is wrong with it."""
    return Query(expr, legend, OBSERVER)


SERIES = 'prometheus_tsdb_head_series{job="prometheus"}'
USED = "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes"
READ_BY_PEOPLE = 'integration=~"slack|email"'
TOLD = f"rate(alertmanager_notifications_total{{{READ_BY_PEOPLE}}}[$window])"
NOT_TOLD = "rate(alertmanager_notifications_failed_total[$window])"
SLOW = Steps(GREEN, ((1, RED),))
FULL = Steps(GREEN, ((0.5, YELLOW), (0.7, RED)))
MANY = Steps(GREEN, ((12, YELLOW), (36, RED)))


def quantile(q: float) -> str:
    """A quantile of the time that the patient takes for range queries, which is what dashboards ask for."""
    buckets = 'prometheus_http_request_duration_seconds_bucket{job="prometheus", handler="/api/v1/query_range"}'
    return f"histogram_quantile({q:g}, sum by (le) (rate({buckets}[$window])))"


NOW = Section(
    "Now",
    number(
        "Watchdog",
        "An alert that fires always. When it is silent here, or no longer arrives at the heartbeat "
        "receiver, no other alert can be relied on.",
        "none",
        ask('count(ALERTS{alertname="Watchdog", alertstate="firing"})', "watchdog"),
        steps=Steps(RED, ((1, GREEN),)),
        silent="silent",
    ),
    number(
        "Targets down",
        "Targets of the observer; TargetDown fires after two minutes.",
        "short",
        ask("count(up == 0) or vector(0)", "down"),
        steps=Steps(GREEN, ((1, RED),)),
    ),
    number(
        "Head series",
        "Series that the patient holds in memory.",
        "short",
        ask(f"sum({SERIES})", "series"),
        steps=Steps(GREEN, ((10_000, YELLOW),)),
    ),
    number(
        "Disk used", "PrometheusDiskFilling fires above 70 %.", "percentunit", ask(f"max({USED})", "used"), steps=FULL
    ),
    number("Range queries p95", "PrometheusQueriesSlow fires above 1 s.", "s", ask(quantile(0.95), "p95"), steps=SLOW),
    number(
        "Notifications per hour",
        "Attempts to tell people (Slack, e-mail), at the rate over Window. NotificationStorm looks at ten minutes, of "
        "what did not fail: six, which are 36 an hour.",
        "short",
        ask(f"sum({TOLD}) * 3600", "an hour"),
        steps=MANY,
    ),
)

SERVER = Section(
    "Prometheus",
    graph(
        "Head series",
        "Series that the patient holds in memory. Growth with traffic is a label without a bound; "
        "/api/v1/status/tsdb names it.",
        "short",
        ask(SERIES, "{{instance}}"),
    ),
    graph(
        "Series added, by target",
        "New series in the window. Asked of the patient itself, which scrapes whole pages; "
        "it ends where the disk does.",
        "short",
        Query("sum by (job, instance) (sum_over_time(scrape_series_added[$window]))", "{{job}} {{instance}}", PATIENT),
    ),
    graph(
        "Scrape duration, by target",
        "What the patient needs for a page; what takes longer than the scrape timeout is lost whole.",
        "s",
        Query("max by (job, instance) (scrape_duration_seconds)", "{{job}} {{instance}}", PATIENT),
    ),
    graph(
        "Range queries",
        "How long the patient takes for what dashboards ask; PrometheusQueriesSlow fires when the p95 is above 1 s.",
        "s",
        ask(quantile(0.5), "p50"),
        ask(quantile(0.95), "p95"),
        steps=replace(SLOW, base=NONE),
    ),
    graph(
        "Write-ahead log and disk",
        "What is not yet in blocks, as the server says it (2.42 does not), and all that is on its volume.",
        "bytes",
        ask('prometheus_tsdb_wal_storage_size_bytes{job="prometheus"}', "write-ahead log of {{instance}}"),
        ask("node_filesystem_size_bytes - node_filesystem_avail_bytes", "all of {{mountpoint}}"),
        width=8,
    ),
    graph(
        "Failed writes of the log",
        "Above zero, samples are being lost; the server goes on saying that it is ready.",
        "short",
        ask('increase(prometheus_tsdb_wal_writes_failed_total{job="prometheus"}[$window])', "writes"),
        ask('increase(prometheus_tsdb_wal_truncations_failed_total{job="prometheus"}[$window])', "truncations"),
        width=8,
    ),
    graph(
        "Disk used",
        "Measured from outside, for a server whose disk is full cannot store that it is. "
        "PrometheusDiskFilling fires above 70 %.",
        "percentunit",
        ask(USED, "{{mountpoint}}"),
        steps=replace(FULL, base=NONE),
        top=1,
        width=8,
    ),
)

AROUND = Section(
    "Around it",
    graph(
        "Memory, by service",
        "Measured from outside: a process that leaks cannot be asked, its scrapes time out first.",
        "bytes",
        ask("container_memory_working_set_bytes", "{{name}}"),
    ),
    states(
        "Targets",
        "Whether the observer can scrape them.",
        ask("min by (job) (up)", "{{job}}"),
        of=mapping(_0=("down", RED), _1=("up", GREEN)),
    ),
    graph(
        "Notifications per hour, by channel",
        "Attempts to tell people, at the rate over Window; the heartbeat is none. NotificationStorm looks at ten "
        "minutes, of what did not fail: six, which are 36 an hour.",
        "short",
        ask(f"sum by (integration) ({TOLD}) * 3600", "{{integration}}"),
        steps=replace(MANY, base=NONE),
    ),
    graph(
        "Notifications that failed",
        "An hour, at the present rate, by channel.",
        "short",
        ask(f"sum by (integration) ({NOT_TOLD}) * 3600", "{{integration}}"),
    ),
)

FIRING = 'max by (alertname, job) (ALERTS{alertname!="Watchdog", alertstate="firing"})'

ALERTS = Section(
    "Alerts",
    alert_list("Alerts", "Of both servers, firing and pending."),
    states(
        "Alerts over time",
        "Each time an alert fired; a bar that is broken many times is an alert that flaps. Empty where all is well.",
        ask(FIRING, "{{alertname}} {{job}}"),
        Query(FIRING, "{{alertname}} {{job}}", PATIENT),
        of=mapping(_1=("firing", RED)),
    ),
)

SECTIONS = (NOW, SERVER, AROUND, ALERTS)
