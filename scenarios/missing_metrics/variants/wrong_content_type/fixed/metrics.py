"""The metrics have a port of their own, which the world does not reach: there is nobody to sign in."""

from prometheus_client import CollectorRegistry, make_wsgi_app

from lab.rag import metrics


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """A metrics page, with the content type of one."""
    metrics.serve_app(make_wsgi_app(registry, disable_compression=True), host, port)
