from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lab.rag import metrics


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """A page that was rendered once, at the start: always there, always fast."""
    page = generate_latest(registry)

    def answer(environ, start_response):
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [page]

    metrics.serve_app(answer, host, port)
