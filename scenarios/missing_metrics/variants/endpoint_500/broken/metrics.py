"""Every page is to say which build it comes from. The file with the build's name is not in the image."""

from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from lab.rag import metrics

BUILD = Path("/etc/rag/build.txt")


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """One exception, and the whole page is a `500 Internal Server Error`."""
    page = make_wsgi_app(registry, disable_compression=True)

    def with_build(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        build = BUILD.read_text(encoding="utf-8").strip()
        return [f'rag_build_info{{version="{build}"}} 1\n'.encode(), *page(environ, start_response)]

    metrics.serve_app(with_build, host, port)
