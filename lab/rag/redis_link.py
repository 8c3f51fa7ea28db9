"""The connection to Redis, shared by cache and costs: quick to give up, and slow to ask again."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from lab.rag.errors import ConfigError

T = TypeVar("T")

TIMEOUT_S = 0.25  # of a connection and of an answer; a query should not wait longer for a cache
PAUSE_S = 1.0  # after a failure, queries leave Redis alone for so long
CONNECTIONS = 32


class RedisAwayError(Exception):
    """Redis did not answer; `repeated` when it was not even asked, because it has just failed."""

    def __init__(self, message: str, *, repeated: bool) -> None:
        super().__init__(message)
        self.repeated = repeated


class RedisLink:
    """Runs commands. After a failure they fail at once for a second, so that a hung Redis slows nothing."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Does not connect yet. Raises ConfigError when the URL is not one."""
        try:
            pool = redis.BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),  # a connection may have gone stale
            )
        except ValueError as error:
            raise ConfigError(f"--redis-url: {error}") from error
        self._client: Any = redis.Redis(connection_pool=pool)
        self._clock = clock
        self._ask_again = 0.0
        self._last_error = ""

    async def run(self, command: Callable[[Any], Awaitable[T]]) -> T:
        """Run a command on the client. Raises RedisAwayError."""
        if self._clock() < self._ask_again:
            raise RedisAwayError(self._last_error, repeated=True)
        return await self._ask(command)

    async def ping(self) -> None:
        """Ask whether Redis is there, also when it has just failed. Raises RedisAwayError."""
        await self._ask(lambda client: client.ping())

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _ask(self, command: Callable[[Any], Awaitable[T]]) -> T:
        try:
            answer = await command(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            self._last_error = f"redis: {error}" if str(error) else f"redis: {type(error).__name__}"
            self._ask_again = self._clock() + PAUSE_S
            raise RedisAwayError(self._last_error, repeated=False) from error
        self._ask_again = 0.0
        return answer
