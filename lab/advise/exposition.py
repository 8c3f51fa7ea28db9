"""A made-up metrics page of a fixed number of series, whose values move like those of a service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

GAUGES = 4
"""One series in so many is a gauge with a fraction; the others count, most of them slowly."""
ENDPOINTS = 20


class Page:
    """The page: empty until `fill`, then `series` lines, no more. Each `text()` is one scrape later."""

    def __init__(self, series: int, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        self._gauges = series // GAUGES
        counters = series - self._gauges
        self._counts = np.zeros(counters, dtype=np.int64)
        self._rates = self._random.lognormal(-1.0, 1.5, counters)
        self._counter_names = [f"measured_requests_total{_labels(i)} " for i in range(counters)]
        self._gauge_names = [f"measured_temperature{_labels(i)} " for i in range(self._gauges)]
        self._full = threading.Event()
        self._lock = threading.Lock()

    def fill(self) -> None:
        """From now on the series are there."""
        self._full.set()

    def text(self) -> str:
        """The exposition."""
        if not self._full.is_set():
            return ""
        with self._lock:
            self._counts += self._random.poisson(self._rates)
            counts = self._counts.tolist()
            values = np.round(self._random.normal(20.0, 2.0, self._gauges), 3).tolist()
        lines = ["# TYPE measured_requests_total counter\n"]
        lines += [f"{name}{value}\n" for name, value in zip(self._counter_names, counts, strict=True)]
        lines.append("# TYPE measured_temperature gauge\n")
        lines += [f"{name}{value}\n" for name, value in zip(self._gauge_names, values, strict=True)]
        return "".join(lines)


def _labels(number: int) -> str:
    """As wide as a service's: an instance, an endpoint, a status."""
    return (
        f'{{replica="rag-{number // ENDPOINTS:05}",endpoint="/api/v1/endpoint-{number % ENDPOINTS:02}",'
        f'status="{"error" if number % 7 == 0 else "success"}"}}'
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A scraper that went away, because it was late, is no news."""


@contextmanager
def served(page: Page) -> Iterator[str]:
    """`host:port` on loopback at which it can be scraped meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
