"""Is the service alive, and can it answer? Dependencies are asked at the same time, each with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Ping = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DependencyStatus:
    """What one dependency answered; `error` is None when it is well."""

    ok: bool
    latency_ms: float
    error: str | None


class Readiness:
    """Asks each dependency, for at most `timeout_s` seconds in all."""

    def __init__(self, pings: Mapping[str, Ping], timeout_s: float) -> None:
        self._pings = dict(pings)
        self._timeout_s = timeout_s

    async def check(self) -> dict[str, DependencyStatus]:
        """The status of every dependency, by name."""
        statuses = await asyncio.gather(*(self._ask(ping) for ping in self._pings.values()))
        return dict(zip(self._pings, statuses, strict=True))

    async def _ask(self, ping: Ping) -> DependencyStatus:
        began = time.perf_counter()
        error = None
        try:
            await asyncio.wait_for(ping(), self._timeout_s)
        except TimeoutError:
            error = f"no answer within {self._timeout_s * 1000:g} ms"
        except Exception as failure:
            error = str(failure) or type(failure).__name__
        return DependencyStatus(error is None, round((time.perf_counter() - began) * 1000, 3), error)
