"""Every query of every panel finds data on a live stack, and its legend tells the series apart.

Except the panel of firing alerts: that one is empty as long as all is well, and finds them when they fire.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from rules_live import SPEED, TOKEN, Load, gather, server, service
from rules_stack import Services, services
from waiting import until

from lab.deployment import HEALTHY, rule_files
from lab.errors import LabError
from lab.paths import compose_dir
from lab.prom import Point, Prometheus
from lab.services import host, rag

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

FOLDER = compose_dir() / "grafana" / "dashboards"
WINDOW = "5m"
EMPTY_WHEN_WELL = "Alerts over time"
LATER = "prometheus_tsdb_wal_storage_size_bytes"
"""A metric that 2.42 does not have and 3.x does."""


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    dashboard: str
    panel: int
    title: str
    ref: str
    expr: str
    legend: str
    source: str
    unit: str

    def __str__(self) -> str:
        return f"{self.dashboard}-{self.panel}-{self.title}-{self.ref}"


def all_queries() -> list[Query]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                source = target.get("datasource") or panel["datasource"]
                expr = target["expr"].replace("$window", WINDOW)
                unit = panel["fieldConfig"]["defaults"]["unit"]
                legend = target["legendFormat"]
                place = (path.stem, panel["id"], panel["title"], target["refId"])
                found.append(Query(*place, expr, legend, source["uid"], unit))
    return found


QUERIES = all_queries()
ORDINARY = [query for query in QUERIES if query.title != EMPTY_WHEN_WELL]
OF_ALERTS = [query for query in QUERIES if query.title == EMPTY_WHEN_WELL]


@dataclass
class Live:
    """The two servers by the uids of Grafana's data sources, and what they answered."""

    stack: Services
    servers: dict[str, Prometheus]
    well: dict[Query, list[Point]] = field(default_factory=dict)
    ill: dict[Query, list[Point]] = field(default_factory=dict)

    def ask(self, query: Query) -> list[Point]:
        """What a panel could draw: NaN, nothing divided by nothing, is no data."""
        return [point for point in self.servers[query.source].query(query.expr) if math.isfinite(point.value)]

    def view(self) -> None:
        """Ask for a minute of each panel, as Grafana does: that is what the duration of range queries is about."""
        now = time.time()
        for query in QUERIES:
            self.servers[query.source].results(query.expr, now - 60, now, 1)

    def all_found(self, queries: list[Query], into: dict[Query, list[Point]]) -> bool:
        """Whether each has found something by now; those that have are not asked again."""
        self.view()
        for query in queries:
            if not into.get(query):
                into[query] = self.ask(query)
        return all(into[query] for query in queries if self.served(query))

    def served(self, query: Query) -> bool:
        """Whether this version of Prometheus has what is asked for."""
        return query.expr.partition("{")[0] != LATER or self.servers["prometheus"].own_metric(LATER) is not None


def scraped(live: Live) -> bool:
    """Whether the patient has scraped the service often enough for rates, and the observer the patient."""
    try:
        counts = [live.servers[uid].number('count_over_time(up{job="prometheus"}[5m])') for uid in live.servers]
    except LabError:
        return False
    return all(count is not None and count >= 4 for count in counts)


def start(stack: Services) -> Live:
    """Everything that a run has, at its usual speed."""
    targets = stack.folder / "targets" / "host.json"
    targets.parent.mkdir()
    stack.start(
        stack.receiver(), stack.alertmanager(SPEED, {}), service(stack, "rag"),
        host.spec(stack.address("host"), targets),
    )  # fmt: skip
    addresses = {f"{name}:9090": stack.address(name) for name in ("prometheus", "observer")}
    addresses |= {"alertmanager:9093": stack.address("alertmanager"), "host:9100": stack.address("host")}
    addresses["rag:8001"] = stack.address("rag", rag.METRICS_PORT)
    folder = compose_dir() / "prometheus"
    watching = rule_files(folder / "observer-rules", "observer-rules")
    observing = (folder / "observer.yml").read_text(encoding="utf-8")
    stack.start(
        server(stack, "prometheus", HEALTHY.prometheus_config(), HEALTHY.prometheus_rules(), addresses),
        server(stack, "observer", observing, watching, addresses),
    )
    patient = stack.running["prometheus"]
    volume = patient.spec.volume
    assert volume is not None
    place = {"holder": patient.pid, "path": str(stack.runtime.data_dir(volume))}
    pids = {name: running.pid for name, running in stack.running.items()}
    targets.write_text(json.dumps({"services": pids, "volumes": {volume.name: place}}), encoding="utf-8")
    return Live(stack, {name: Prometheus(stack.address(name), timeout_s=10.0) for name in ("prometheus", "observer")})


def play(stack: Services) -> Live:
    """Look at everything while all is well, then break something of either server's business."""
    live = start(stack)
    with Load({"rag": f"http://{stack.address('rag')}"}).running():
        until(lambda: scraped(live), 90, "both servers have scraped the patient four times")
        gather(lambda: live.all_found(ORDINARY, live.well), 60)
        live.well |= {query: live.ask(query) for query in OF_ALERTS}
        rag.switch(stack.address("rag"), TOKEN, {"quota": 900})
        stack.runtime.stop(stack.running["host"])
        gather(lambda: live.all_found(OF_ALERTS, live.ill), 90)
    return live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with pytest.MonkeyPatch.context() as patch, services(tmp_path_factory.mktemp("dashboards"), patch) as stack:
        yield play(stack)


@pytest.mark.parametrize("query", ORDINARY, ids=str)
def test_it_finds_data(query: Query, live: Live):
    assert bool(live.well[query]) == live.served(query), query.expr


@pytest.mark.parametrize("query", ORDINARY, ids=str)
def test_its_legend_tells_the_series_apart(query: Query, live: Live):
    points = live.well[query]
    named = re.findall(r"{{(\w+)}}", query.legend)
    told = [tuple(point.labels[label] for label in named) for point in points]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("query", [q for q in ORDINARY if q.unit == "percentunit"], ids=str)
def test_a_share_is_between_nothing_and_everything(query: Query, live: Live):
    assert all(-0.001 <= point.value <= 1.001 for point in live.well[query])


@pytest.mark.parametrize("query", OF_ALERTS, ids=str)
def test_no_alert_is_shown_while_all_is_well(query: Query, live: Live):
    assert live.well[query] == []


@pytest.mark.parametrize(
    ("query", "alert"), list(zip(OF_ALERTS, ("TargetDown", "RateLimitClose"), strict=True)), ids=str
)
def test_an_alert_is_shown_when_it_fires(query: Query, alert: str, live: Live):
    assert [point.labels["alertname"] for point in live.ill[query]] == [alert]
