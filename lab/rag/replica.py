"""`python -m lab.rag.replica`: a replica of the service with users of its own, of which only the metrics page is there.

What it shows is what the deployment's `Metrics` would after as many queries (see `extrapolated`); answering them would
cost the machine the time that the Prometheus under test needs. Its users begin with the first whole scrape.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lab.rag.deployment import load_metrics
from lab.rag.errors import ConfigError
from lab.rag.extrapolated import NEW_SHARE, Page
from lab.rag.metrics import serve_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

READY = "/-/ready"


class Replica:
    """A page that grows with time, `rate` queries a second from its first whole scrape on."""

    def __init__(self, page: Page, rate: float) -> None:
        self._page, self._rate = page, rate
        self._begun: float | None = None
        self._lock = threading.Lock()

    def blocks(self, names: frozenset[bytes], now: float) -> list[bytes]:
        """The page at a moment of the monotonic clock, in blocks; with names (`name[]`) only what is bounded."""
        with self._lock:
            if self._begun is None and not names:
                self._begun = now
            queries = int(self._rate * (now - self._begun)) if self._begun is not None else 0
            grown = [] if names else self._page.grow(queries)
            return [self._page.base(queries, names), *grown]


def application(replica: Replica) -> WSGIApplication:
    """Answers scrapes, and whether it is ready."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        names = frozenset(name.encode() for name in parse_qs(environ.get("QUERY_STRING", "")).get("name[]", []))
        ready = environ["PATH_INFO"] == READY
        blocks = [b"ready\n"] if ready else replica.blocks(names, time.monotonic())
        head = [
            ("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
            ("Content-Length", str(sum(map(len, blocks)))),
        ]
        start("200 OK", head)
        return blocks

    return answer


def main(argv: Sequence[str]) -> int:
    """Serve until a signal; 2 when the deployment's metrics cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m lab.rag.replica", description=__doc__, allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--metrics", type=Path, default=None, help="as of python -m lab.rag")
    parser.add_argument("--series-per-s", type=float, required=True, help="that its queries may bring")
    parser.add_argument("--series", type=int, required=True, help="that they bring at most")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    try:
        page = Page(load_metrics(given.metrics).new_metrics, given.series, given.seed)
    except ConfigError as error:
        print(f"replica: {error}", file=sys.stderr)  # noqa: T201
        return 2
    rate = given.series_per_s / NEW_SHARE
    serve_app(application(Replica(page, rate)), given.host, given.port)
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
