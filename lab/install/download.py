"""HTTP downloads that are bounded in bytes and in time, over TLS or loopback only."""

from __future__ import annotations

import hashlib
import ipaddress
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lab.install.source import SourceError

if TYPE_CHECKING:
    import httpx

Keep = Callable[[bytes], object]

CONNECT_S = 5.0
READ_S = 15.0
FIRST_ANSWER_S = 12.0
"""For the first small file. Looking up a name has no timeout of its own and may hang on a filtered network."""
DOWNLOAD_S = 300.0

_unreachable: dict[str, str] = {}
"""Host to reason, for the life of the process: a host that did not answer is not asked again."""


def get_text(url: str, limit: int) -> str:
    """Return a small text file: at most `limit` bytes, FIRST_ANSWER_S seconds. Raises SourceError."""
    host = _host(url)
    if host in _unreachable:
        raise SourceError(_unreachable[host])
    answers: queue.Queue[str | SourceError] = queue.Queue()

    def work() -> None:
        body = bytearray()
        try:
            _stream(url, limit, FIRST_ANSWER_S, body.extend)
            answers.put(body.decode(errors="replace"))
        except SourceError as error:
            answers.put(error)
        except Exception as error:  # else it would be waited for, in vain
            answers.put(SourceError(f"{url}: {error or type(error).__name__}"))

    # A thread, because getaddrinfo cannot be interrupted; a daemon, so that it cannot hold up the exit.
    threading.Thread(target=work, daemon=True, name="first-answer").start()
    try:
        answer = answers.get(timeout=FIRST_ANSWER_S)
    except queue.Empty:
        answer = UnreachableError(f"{host} did not answer within {FIRST_ANSWER_S:g} s")
    if isinstance(answer, UnreachableError):
        _unreachable[host] = str(answer)
    if isinstance(answer, SourceError):
        raise answer
    return answer


def get_file(url: str, target: Path, limit: int) -> str:
    """Download `url` into `target`, at most `limit` bytes and DOWNLOAD_S seconds; return its sha256 (hex).

    Raises SourceError.
    """
    digest = hashlib.sha256()
    with target.open("wb") as out:

        def keep(chunk: bytes) -> None:
            digest.update(chunk)
            out.write(chunk)

        _stream(url, limit, DOWNLOAD_S, keep)
    return digest.hexdigest()


class UnreachableError(SourceError):
    """The host did not answer at all: its other files need not be tried."""


def _stream(url: str, limit: int, seconds: float, keep: Keep) -> None:
    """Feed the body of `url` to `keep` chunk by chunk."""
    import httpx

    deadline = time.monotonic() + seconds
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    host = _host(url)
    try:
        with (
            httpx.Client(
                timeout=timeout,
                follow_redirects=True,
                max_redirects=5,
                event_hooks={"request": [_refuse_plain_http]},
            ) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise SourceError(f"{url} answered {response.status_code} {response.reason_phrase}".rstrip())
            _feed(response, limit, deadline, keep)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise UnreachableError(f"{host} cannot be reached ({error or type(error).__name__})") from error
    # The last two: of a proxy in the environment that can't be used.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise SourceError(f"{url}: {error or type(error).__name__}") from error


def _host(url: str) -> str:
    """Host and port. Raises SourceError for what is no URL."""
    try:
        return urlsplit(url).netloc
    except ValueError as error:
        raise SourceError(f"{url}: {error}") from error


def _feed(response: httpx.Response, limit: int, deadline: float, keep: Keep) -> None:
    """Pass the raw body on, within `limit` bytes and until `deadline` (monotonic seconds)."""
    announced = int(response.headers.get("Content-Length", "0"))
    if announced > limit:
        raise SourceError(f"{response.url} announces {announced} bytes, more than {limit}: refused")
    received = 0
    for chunk in response.iter_raw():
        received += len(chunk)
        if received > limit:
            raise SourceError(f"{response.url} is larger than {limit} bytes: refused")
        if time.monotonic() > deadline:
            raise SourceError(f"{response.url} is too slow: {received >> 10} KiB and out of time")
        keep(chunk)


def _refuse_plain_http(request: httpx.Request) -> None:
    """Refuse plain HTTP to another machine, also after a redirect: what comes over it will be run."""
    if request.url.scheme != "https" and not _is_loopback(request.url.host):
        raise SourceError(f"{request.url} is not https: refused")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
