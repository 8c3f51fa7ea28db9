from prometheus_client import make_wsgi_app

from lab.rag import metrics


def serve(registry, host, port):
    """As text the page is well. As OpenMetrics, which Prometheus asks for first, the whole of it is refused."""
    page = make_wsgi_app(registry, disable_compression=True)
    metrics.serve_app(lambda environ, start: [b"# build unknown\n", *page(environ, start)], host, port)
