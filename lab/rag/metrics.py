"""The service's metrics, and the server that exposes them. A deployment may replace either with `--metrics FILE`.

A replacement module defines its own `Metrics` (usually a subclass that overrides one `declare_...` method and
the method that feeds it) or its own `serve`, or both; what it lacks is taken from here.
"""

import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)

from lab.rag.errors import COUNTED
from lab.rag.pricing import CACHED, CHAT_MODELS, EMBEDDING_MODEL
from lab.rag.record import QueryRecord

# A `_created` series beside every counter and histogram would double the series for nothing.
disable_created_metrics()  # type: ignore[no-untyped-call]

DURATION_BUCKETS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 5, 10)
TOKEN_BUCKETS = (50, 100, 250, 500, 1000, 2000, 5000, 10000)
COST_BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1)
SEARCH_BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.5, 1)
DOCUMENT_BUCKETS = (1, 3, 5, 10, 20, 50)
RELEVANCE_BUCKETS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
QUALITY_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class Gauges:
    """Where the gauges read their value at each scrape, and the one label value that each of them has."""

    cache_type: str
    cache_hit_ratio: Callable[[], float]
    cache_entries: Callable[[], float]
    provider: str
    calls_left: Callable[[], float]
    queue: str
    queue_depth: Callable[[], float]


class Metrics:
    """Every metric of the service. Label sets exist from the start: a counter born at 1 hides its first event."""

    endpoints = ("/query",)

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.queries = self.declare_queries()
        self.durations = self.declare_durations()
        self.errors = self.declare_errors()
        self.declare_generation()
        self.declare_retrieval()
        self.declare_gauges()

    # What a replacement usually overrides: one declaration, and the one method that feeds it.

    def declare_queries(self) -> Counter:
        """The counter of queries, by what happened to them."""
        queries = Counter(
            "rag_queries", "Queries answered.", ["cache_status", "model", "status"], registry=self.registry
        )
        queries.labels("hit", CACHED, "success")
        for model in CHAT_MODELS:
            for status in ("success", "error"):
                queries.labels("miss", model, status)
        return queries

    def count_query(self, query: QueryRecord) -> None:
        """Count one finished query, failed ones too."""
        self.queries.labels(query.cache_status, query.model, query.status).inc()

    def declare_durations(self) -> Histogram:
        """The histogram of whole queries, in seconds."""
        durations = Histogram(
            "rag_query_duration_seconds",
            "Time to answer a query.",
            ["endpoint", "cache_status"],
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        for endpoint in self.endpoints:
            for cache_status in ("hit", "miss"):
                durations.labels(endpoint, cache_status)
        return durations

    def observe_duration(self, query: QueryRecord) -> None:
        """Observe the time a query took, failed ones too."""
        self.durations.labels(query.endpoint, query.cache_status).observe(query.duration_s)

    def declare_errors(self) -> Counter:
        """The counter of failures, by kind and by the component that failed."""
        errors = Counter("rag_errors", "Failures by kind.", ["error_type", "component"], registry=self.registry)
        for error_type, component in COUNTED:
            errors.labels(error_type, component)
        return errors

    def count_error(self, error_type: str, component: str) -> None:
        """Count one failure; not every failure fails a query (a cache that is away does not)."""
        self.errors.labels(error_type, component).inc()

    # The rest of the contract.

    def declare_generation(self) -> None:
        """Tokens, costs and quality of what the models answered."""
        self.tokens = Histogram(
            "rag_tokens_used",
            "Tokens of a model call.",
            ["model", "token_type"],
            buckets=TOKEN_BUCKETS,
            registry=self.registry,
        )
        self.query_costs = Histogram(
            "rag_cost_per_query_usd",
            "Cost of a query in US dollars.",
            ["model"],
            buckets=COST_BUCKETS,
            registry=self.registry,
        )
        self.costs = Counter("rag_total_cost_usd", "Money spent in US dollars.", ["model"], registry=self.registry)
        self.quality = Histogram(
            "rag_response_quality_score",
            "Quality of an answer, 0 to 1.",
            buckets=QUALITY_BUCKETS,
            registry=self.registry,
        )
        for model in CHAT_MODELS:
            self.tokens.labels(model, "input")
            self.tokens.labels(model, "output")
            self.query_costs.labels(model)
            self.costs.labels(model)
        self.costs.labels(EMBEDDING_MODEL)

    def observe_generation(self, query: QueryRecord) -> None:
        """Observe tokens and cost of an answer that a model wrote."""
        self.tokens.labels(query.model, "input").observe(query.input_tokens)
        self.tokens.labels(query.model, "output").observe(query.output_tokens)
        self.query_costs.labels(query.model).observe(query.cost_usd)

    def declare_retrieval(self) -> None:
        """Speed and yield of the vector search."""
        self.search = Histogram(
            "rag_vector_search_duration_seconds",
            "Time of a vector search.",
            buckets=SEARCH_BUCKETS,
            registry=self.registry,
        )
        self.documents = Histogram(
            "rag_documents_retrieved",
            "Documents found for a query.",
            buckets=DOCUMENT_BUCKETS,
            registry=self.registry,
        )
        self.relevance = Histogram(
            "rag_relevance_score",
            "Relevance of the best document, 0 to 1.",
            buckets=RELEVANCE_BUCKETS,
            registry=self.registry,
        )

    def observe_retrieval(self, query: QueryRecord) -> None:
        """Observe the vector search of a query that made one."""
        if query.search_s is not None:
            self.search.observe(query.search_s)
        if query.documents is not None:
            self.documents.observe(query.documents)
        if query.relevance is not None:
            self.relevance.observe(query.relevance)

    def declare_gauges(self) -> None:
        """States of cache, provider and queue, and what is running."""
        registry = self.registry
        self.cache_hit_rate = Gauge(
            "rag_cache_hit_rate", "Cache hits per lookup since the start.", ["cache_type"], registry=registry
        )
        self.cache_size = Gauge("rag_cache_size_entries", "Answers in the cache.", ["cache_type"], registry=registry)
        self.rate_limit = Gauge(
            "rag_rate_limit_remaining", "Calls left in this window.", ["provider"], registry=registry
        )
        self.queue_depth = Gauge("rag_queue_depth", "Queries waiting.", ["queue"], registry=registry)
        self.info = Info("rag_service", "What is running.", registry=registry)

    def watch(self, gauges: Gauges, info: dict[str, str]) -> None:
        """Let the gauges read their sources at each scrape, and say what is running (`version`, `service`)."""
        self.cache_hit_rate.labels(gauges.cache_type).set_function(gauges.cache_hit_ratio)
        self.cache_size.labels(gauges.cache_type).set_function(gauges.cache_entries)
        self.rate_limit.labels(gauges.provider).set_function(gauges.calls_left)
        self.queue_depth.labels(gauges.queue).set_function(gauges.queue_depth)
        self.info.info(info)

    def record(self, query: QueryRecord) -> None:
        """Record everything about one finished query. Called exactly once a query."""
        self.count_query(query)
        self.observe_duration(query)
        self.observe_retrieval(query)
        for model, nano in query.charges:
            self.costs.labels(model).inc(nano / 1e9)
        if query.error_type is not None and query.component is not None:
            self.count_error(query.error_type, query.component)
            return
        if query.quality is not None:
            self.quality.observe(query.quality)
        if query.output_tokens:
            self.observe_generation(query)


def new_registry() -> CollectorRegistry:
    """A registry with process, platform and garbage-collector metrics.

    It describes its collectors, else `name[]=process_resident_memory_bytes` would find nothing.
    """
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Not HTTPServer's: it looks the host's name up, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not worth a line each."""


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Serve `/metrics` on a port and in a thread of its own. Raises OSError when the port is taken.

    Not from the event loop, where a large exposition would block the service. No compression: on loopback it
    costs more time than it saves.
    """
    serve_app(make_wsgi_app(registry, disable_compression=True), host, port)


def serve_app(app: WSGIApplication, host: str, port: int) -> None:
    """The same for a WSGI application of one's own around the page. Raises OSError when the port is taken."""
    server = _Server((host, port), _QuietHandler)
    server.set_app(app)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
