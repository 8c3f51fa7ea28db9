"""A lock keeps pages apart while they are rendered, and is held for that long only."""

from collections.abc import Iterable
from threading import Lock
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from lab.rag import metrics


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """Every page comes."""
    page = make_wsgi_app(registry, disable_compression=True)
    rendering = Lock()

    def one_by_one(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with rendering:
            return page(environ, start_response)

    metrics.serve_app(one_by_one, host, port)
