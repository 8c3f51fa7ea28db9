"""The live page: an empty frame and its script, which is told everything over server-sent events.

The frame holds nothing of the stack, so anyone may have it; what fills it needs the token, which stands behind
the `#` of the address and so is sent to nobody by itself.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi.responses import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_FILES = {
    "": ("lab.classroom.web", "live.html", "text/html"),
    "live.js": ("lab.classroom.web", "live.js", "text/javascript"),
    "live.css": ("lab.classroom.web", "live.css", "text/css"),
    "report.css": ("lab.report", "templates/report.css", "text/css"),
    "uPlot.js": ("lab.report", "vendor/uplot/uPlot.iife.min.js", "text/javascript"),
    "uPlot.css": ("lab.report", "vendor/uplot/uPlot.min.css", "text/css"),
}
"""What may be asked for, and nothing else."""


def answer(name: str) -> Response:
    """A file of the page; 404 for any other name."""
    if name not in _FILES:
        return Response("not found\n", 404, HEADERS, "text/plain")
    package, path, kind = _FILES[name]
    return Response(_read(package, path), 200, HEADERS, kind)


@cache
def _read(package: str, path: str) -> bytes:
    return files(package).joinpath(path).read_bytes()
