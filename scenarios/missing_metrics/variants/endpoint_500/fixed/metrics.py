"""What a page needs is read once, at the start: a start that fails is seen, and the old release goes on."""

from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from lab.rag import metrics

BUILD = Path("/etc/rag/build.txt")


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """What adorns the page can be absent; the page cannot."""
    page = make_wsgi_app(registry, disable_compression=True)
    build = BUILD.read_text(encoding="utf-8").strip() if BUILD.is_file() else "unknown"

    def with_build(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return [f'rag_build_info{{version="{build}"}} 1\n'.encode(), *page(environ, start_response)]

    metrics.serve_app(with_build, host, port)
