"""A sign-in went in front of everything, the metrics too: whoever is unknown gets the form, with status 200."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from lab.rag import metrics

FORM = b"""<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form method="post"><input name="user"><input name="password" type="password"></form></body></html>
"""


def serve(registry: CollectorRegistry, host: str, port: int) -> None:
    """A page, in time, with status 200; only not a metrics page."""
    page = make_wsgi_app(registry, disable_compression=True)

    def signed_in(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_COOKIE" in environ:
            return page(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [FORM]

    metrics.serve_app(signed_in, host, port)
