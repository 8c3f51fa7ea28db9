"""`lab lint smoke`: what a deployment asks before it goes on: does the metrics page come, in time and complete?"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from lab.errors import UsageError
from lab.lint import required
from lab.lint.exposition import ExpositionError, shown
from lab.lint.finding import Finding, Level
from lab.lint.page import Page, survey
from lab.lint.source import ACCEPT, MAX_WAIT_S, check_timeout, check_url, said

MAX_BYTES = 64 * 2**20
"""Bytes of a page, as it comes; compression is not asked for."""
PAUSE_S = 0.5
"""Between two tries of a deployment that is still starting."""
TYPES = ("text/plain", "application/openmetrics-text")
"""What Prometheus takes for a metrics page; 3.x refuses any other type, and none at all."""
OPENMETRICS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus asks for."""
_COMMENT = re.compile(rb"# (?:(?:HELP|TYPE|UNIT) .*|EOF)")


class NoPageError(Exception):
    """There is no metrics page; the message says what there is."""


@dataclass(frozen=True)
class Smoke:
    """What came of it; no findings: the deployment may go on. `took_s`: of the last try."""

    url: str
    series: int
    took_s: float
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """1 where something is wrong, else 0."""
        return int(bool(self.findings))

    def to_text(self) -> str:
        """A line for each thing that is wrong; one line when all is well."""
        if not self.findings:
            return f"{self.url}: {self.series:,} series in {self.took_s:.2f} s; all there\n"
        return "".join(f"{f.level.value:8}{f.where}: {f.text} [{f.rule}]\n" for f in self.findings)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "target": self.url,
            "series": self.series,
            "took_s": round(self.took_s, 3),
            "findings": [
                {"level": f.level.value, "rule": f.rule, "metric": f.metric, "label": f.label, "text": f.text}
                for f in self.findings
            ],
            "exit_code": self.exit_code,
        }


def smoke(url: str, *, require: Iterable[str] = (), timeout_s: float = 10.0, wait_s: float = 0.0) -> Smoke:
    """Ask once, and again until it is well for at most `wait_s` seconds. Raises `UsageError` on what is no URL."""
    _check(url, timeout_s, wait_s)
    names = tuple(require)
    deadline = time.monotonic() + wait_s
    found = _once(url, names, timeout_s)
    while found.findings and time.monotonic() + PAUSE_S < deadline:
        time.sleep(PAUSE_S)
        found = _once(url, names, min(timeout_s, max(PAUSE_S, deadline - time.monotonic())))
    return found


def _check(url: str, timeout_s: float, wait_s: float) -> None:
    check_url(url)
    check_timeout(timeout_s)
    if not 0 <= wait_s <= MAX_WAIT_S:
        raise UsageError(f"--wait {wait_s:g}: not between 0 and {MAX_WAIT_S:g} seconds")


def _once(url: str, names: tuple[str, ...], timeout_s: float) -> Smoke:
    began = time.monotonic()
    try:
        page = _page(asyncio.run(_fetch(url, ACCEPT, timeout_s))[1])
        _as_openmetrics(*asyncio.run(_fetch(url, OPENMETRICS, timeout_s)))
    except NoPageError as error:
        return Smoke(url, 0, time.monotonic() - began, (Finding(Level.ERROR, "page", url, "", str(error)),))
    took = time.monotonic() - began
    return Smoke(url, page.series, took, tuple(_missing(page, names)))


async def _fetch(url: str, accept: str, timeout_s: float) -> tuple[str, bytes]:
    """Type and body of a metrics page. The time is for all of it, however slowly it drips."""
    try:
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(trust_env=False, timeout=timeout_s) as client:
            headers = {"Accept": accept, "Accept-Encoding": "identity"}
            async with client.stream("GET", url, headers=headers) as answer:
                body = bytearray()
                async for chunk in answer.aiter_raw():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise NoPageError(f"over {MAX_BYTES // 2**20} MiB; no metrics page is that long")
    except TimeoutError:
        raise NoPageError(f"no whole page within {timeout_s:g} s; Prometheus says: context deadline exceeded") from None
    except (httpx.HTTPError, OSError) as error:
        raise NoPageError(f"{said(error)}; nothing serves metrics there") from error
    return _accept(answer, bytes(body[:200])), bytes(body)


def _accept(answer: httpx.Response, begins: bytes) -> str:
    """The content type; it and the status are those of a metrics page. Raises `NoPageError`."""
    if answer.status_code != 200:
        where = shown(answer.headers.get("location", "").encode())
        raise NoPageError(f"HTTP {answer.status_code}{f' to {where}' if where else ''}; a metrics page answers 200")
    given = answer.headers.get("content-type", "")
    kind: str = given.partition(";")[0].strip().lower()
    if kind not in TYPES:
        said = f"Content-Type {shown(given.encode())}" if given else "no Content-Type"
        raise NoPageError(f"{said}; not a metrics page, it begins: {shown(begins.lstrip()[:60])}")
    coding = answer.headers.get("content-encoding", "identity").lower()
    if coding != "identity":
        raise NoPageError(f"content-encoding {shown(coding.encode())} was not asked for")
    return kind


def _as_openmetrics(kind: str, body: bytes) -> None:
    """A page that is served as OpenMetrics is stricter than one of text: no free comments, and an end that says so.

    Prometheus asks for it first, and refuses the whole page. Raises `NoPageError`.
    """
    if kind == TYPES[0]:
        return
    lines = body.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.startswith(b"#") and not _COMMENT.fullmatch(line):
            raise NoPageError(f"line {number}: no comment of OpenMetrics, which Prometheus asks for: {shown(line)}")
    if lines[-1] != b"# EOF":
        raise NoPageError("OpenMetrics, which Prometheus asks for, ends with # EOF; this page does not")


def _page(body: bytes) -> Page:
    try:
        body.decode("utf-8")
        return survey([body])
    except UnicodeDecodeError:
        raise NoPageError("not UTF-8 text; not a metrics page") from None
    except ExpositionError as error:
        raise NoPageError(str(error)) from error


def _missing(page: Page, names: tuple[str, ...]) -> Iterator[Finding]:
    for finding in required.check(page, names):
        if finding.metric in page.families:
            text = "declared, but without a sample; create its label sets at the start"
            yield Finding(finding.level, finding.rule, finding.metric, "", text)
        else:
            yield finding
