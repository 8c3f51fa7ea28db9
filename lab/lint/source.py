"""Where a page comes from: a URL, a file, standard input; capped in bytes after decompression and in time."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import time
import zlib
from collections.abc import Awaitable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx

from lab.errors import UsageError

MAX_BYTES = 256 * 2**20
"""Bytes of a page, decompressed: three million series."""
MAX_WAIT_S = 600.0
"""Seconds for a page at most."""
CHUNK = 2**20
GZIP = 16 + zlib.MAX_WBITS
ACCEPT = "text/plain;version=0.0.4;q=1,*/*;q=0.1"
T = TypeVar("T")


class SourceError(UsageError):
    """The page could not be had; the message names the source."""


def is_url(target: str) -> bool:
    """Whether a target is a URL and not a file."""
    return target.startswith(("http://", "https://"))


def is_file(target: str) -> bool:
    """Whether a target is a file: it has no scheme."""
    return "://" not in target


def check_url(url: str) -> None:
    """Raises `UsageError` for what is no URL of a metrics page."""
    try:
        parsed = httpx.URL(url) if is_url(url) else None
    except httpx.InvalidURL:
        parsed = None
    if parsed is None or not parsed.host or not 0 < (parsed.port or 80) < 65536:
        raise UsageError(f"{url}: no URL; give the metrics endpoint, such as http://127.0.0.1:8001/metrics")


def check_timeout(timeout_s: float) -> None:
    """Raises `UsageError` for seconds in which no page can come, or that nobody waits."""
    if not 0 < timeout_s <= MAX_WAIT_S:  # NaN is neither
        raise UsageError(f"--timeout {timeout_s:g}: not over 0 and at most {MAX_WAIT_S:g} seconds")


def pages(target: str, timeout_s: float) -> Iterator[bytes]:
    """A page in chunks of at most `CHUNK` bytes, decompressed, valid UTF-8. Raises `SourceError`."""
    chunks = _url(target, timeout_s) if is_url(target) else _file(target)
    return _text(_capped(chunks, target), target)


def _url(url: str, timeout_s: float) -> Iterator[bytes]:
    """The time is for all of it, however slowly it drips: for its head, too."""
    deadline = time.monotonic() + timeout_s
    with asyncio.Runner() as runner:

        def in_time(work: Awaitable[T]) -> T:
            return runner.run(_within(work, deadline - time.monotonic()))

        client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113  (the deadline is for all of it)
        try:
            request = client.build_request("GET", url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"})
            answer = in_time(client.send(request, stream=True))
            chunks = answer.aiter_raw()
            raw = iter(lambda: in_time(anext(chunks, b"")), b"")
            yield from _unzipped(raw, url) if _is_zipped(answer, url) else raw
        except TimeoutError:
            raise SourceError(f"{url}: not read within {timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SourceError(f"{url}: {said(error)}") from error
        finally:
            runner.run(client.aclose())


async def _within(work: Awaitable[T], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        return await work


def _is_zipped(answer: httpx.Response, url: str) -> bool:
    """Whether a page comes as gzip. Raises `SourceError` where there is none, or it comes in another coding."""
    if answer.status_code != 200:
        raise SourceError(f"{url}: HTTP {answer.status_code}; a metrics page answers 200")
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        raise SourceError(f"{url}: content-encoding {coding[:40]!r} was not asked for")
    return "gzip" in coding


def said(error: BaseException) -> str:
    """What the system said, where it did: the client's own words are "All connection attempts failed"."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # one of each address of a name
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and cause.errno:  # below 0: of the resolver
            return os.strerror(cause.errno) if cause.errno > 0 else cause.strerror or str(cause)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _file(name: str) -> Iterator[bytes]:
    if name == "-" and sys.stdin is None:
        raise SourceError("-: standard input is closed; give a URL or a file with a metrics page")
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            first = file.read(CHUNK)
            rest = iter(lambda: file.read(CHUNK), b"")
            chunks = _joined(first, rest)
            yield from _unzipped(chunks, name) if first.startswith(b"\x1f\x8b") else chunks
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}; give a URL or a file with a metrics page") from error


def _joined(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unzipped(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Never more than `CHUNK` bytes at once, however small the archive."""
    inflate = zlib.decompressobj(GZIP)
    try:
        for chunk in chunks:
            while chunk:
                if inflate.eof:
                    raise SourceError(f"{name}: gzip with something behind it")
                yield inflate.decompress(chunk, CHUNK)
                chunk = inflate.unconsumed_tail or inflate.unused_data
        yield inflate.flush()
    except zlib.error as error:
        raise SourceError(f"{name}: not gzip: {error}") from error
    if not inflate.eof:
        raise SourceError(f"{name}: gzip ends in the middle")


def _capped(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > MAX_BYTES:
            raise SourceError(f"{name}: over {MAX_BYTES // 2**20} MiB, decompressed; no metrics page is that long")
        yield chunk


def _text(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The same chunks, checked to be UTF-8 without NUL."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
            if b"\0" in chunk:
                raise SourceError(f"{name}: binary; give a page in the text exposition format")
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: not UTF-8 text; give a page in the text exposition format") from error
