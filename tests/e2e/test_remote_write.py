"""The part of prometheus.yml that `lab advise` prints, on a real Prometheus and a real VictoriaMetrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from rules_stack import Services, binary, services
from victoria_metrics import victoria_metrics
from waiting import until

from lab.advise.remote_write import EXAMPLE_URL, config
from lab.runtime.protocol import ServiceSpec, VolumeSpec

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
PAGE = b'# TYPE sent gauge\nsent{shop="one"} 42.5\nsent{shop="two"} -7\n# TYPE steps_total counter\nsteps_total 12345\n'
WANTED = {("sent", "one"): 42.5, ("sent", "two"): -7.0, ("steps_total", ""): 12345.0}
ARRIVES_S = 60.0
SOON = "    queue_config: {batch_send_deadline: 1s}\n"
"""Prometheus waits five seconds for a batch to be full otherwise; nothing else of the configuration is ours."""
WRITE_PATH = EXAMPLE_URL.partition(":8428")[2]


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    """`host:port` of a metrics page with known values."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@dataclass
class Pair:
    """A Prometheus that sends to a VictoriaMetrics."""

    stack: Services
    page: str
    log: Path = field(init=False)

    def start(self, path: str) -> None:
        """Both; `path`: where Prometheus writes to at the store."""
        volume = VolumeSpec("store")
        argv = (
            str(victoria_metrics()), f"-storageDataPath={self.stack.runtime.data_dir(volume)}",
            f"-httpListenAddr={self.stack.address('store')}", "-search.latencyOffset=1s", "-memory.allowedPercent=5",
        )  # fmt: skip
        self.stack.start(ServiceSpec("store", argv, ready_path="/health", ready_port="http", volume=volume))
        self.stack.start(self._prometheus(f"http://{self.stack.address('store')}{path}"))
        self.log = self.stack.running["prometheus"].log

    def _prometheus(self, url: str) -> ServiceSpec:
        text = (
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['{self.page}']}}]}}]\n{config(url)}{SOON}"
        )
        file = self.stack.folder / "prometheus.yml"
        file.write_text(text)
        volume = VolumeSpec("prometheus-data")
        argv = (
            str(binary("prometheus").path), f"--config.file={file}",
            f"--storage.tsdb.path={self.stack.runtime.data_dir(volume)}",
            f"--web.listen-address={self.stack.address('prometheus')}",
        )  # fmt: skip
        return ServiceSpec("prometheus", argv, ready_path="/-/ready", ready_port="http", volume=volume)

    def values(self, service: str) -> dict[tuple[str, str], float]:
        """What one of them answers to the same question: (metric, shop) -> value."""
        if service == "store":  # it is in no hurry to show what it has just been given
            self._get(service, "/internal/force_flush")
        found = self._get(service, "/api/v1/query", query='{__name__=~"sent|steps_total", job="shop"}').json()
        return {
            (one["metric"]["__name__"], one["metric"].get("shop", "")): float(one["value"][1])
            for one in found["data"]["result"]
        }

    def counted(self, metric: str) -> float:
        """A counter of Prometheus about itself, over all queues."""
        lines = self._get("prometheus", "/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{metric}{{"))

    def _get(self, service: str, path: str, **params: str) -> httpx.Response:
        url = f"http://{self.stack.address(service)}{path}"
        return httpx.get(url, params=params, timeout=30.0, trust_env=False)


@pytest.fixture
def started(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Pair]]:
    victoria_metrics()  # skips before anything is started
    with services(tmp_path, monkeypatch) as stack:

        def start(path: str) -> Pair:
            pair = Pair(stack, page)
            pair.start(path)
            return pair

        yield start


def test_series_arrive_with_their_values(started: Callable[[str], Pair]) -> None:
    pair = started(WRITE_PATH)
    until(lambda: pair.values("prometheus") == WANTED, ARRIVES_S, "Prometheus has scraped the page")
    until(lambda: pair.values("store") == WANTED, ARRIVES_S, "the store answers the same")
    assert pair.counted("prometheus_remote_storage_samples_failed_total") == 0


def test_a_wrong_path_is_told_by_prometheus_and_nothing_arrives(started: Callable[[str], Pair]) -> None:
    """A scrape succeeds and `up` is 1 all the while: only this counter and the log know."""
    pair = started(WRITE_PATH.replace("write", "wrong"))
    until(lambda: pair.counted("prometheus_remote_storage_samples_failed_total") > 0, ARRIVES_S, "samples are given up")
    until(lambda: "server returned HTTP status 400" in pair.log.read_text(), ARRIVES_S, "the log says so")
    assert pair.values("prometheus") == WANTED
    assert pair.values("store") == {}
