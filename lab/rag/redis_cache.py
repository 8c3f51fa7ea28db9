"""The answer cache in Redis: shared by replicas, and it survives a restart of the service."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lab.rag.cache import CachedAnswer
from lab.rag.errors import CacheUnavailableError
from lab.rag.redis_link import RedisAwayError, RedisLink

T = TypeVar("T")

PREFIX = "rag:answer:"
EXPIRIES = "rag:answers"  # a sorted set of keys by expiry, since Redis cannot count keys by prefix


class RedisCache:
    """One key for each answer; Redis lets it expire."""

    kind = "redis"

    def __init__(self, link: RedisLink, ttl_s: float) -> None:
        self._link = link
        self._ttl_s = ttl_s
        self._entries = 0

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer under this key, unless it is too old or not readable."""
        kept = await self._run(lambda client: client.get(PREFIX + key))
        return None if kept is None else _decode(kept)

    async def put(self, key: str, answer: CachedAnswer) -> None:
        """Keep the answer for the cache's time to live."""

        async def store(client: Any) -> None:
            async with client.pipeline(transaction=False) as pipe:
                pipe.set(PREFIX + key, _encode(answer), px=max(1, int(self._ttl_s * 1000)))
                pipe.zadd(EXPIRIES, {key: time.time() + self._ttl_s})
                await pipe.execute()

        await self._run(store)

    def entries(self) -> int:
        """How many answers were kept at the last refresh."""
        return self._entries

    async def refresh(self) -> None:
        """Count the answers again."""

        async def count(client: Any) -> int:
            async with client.pipeline(transaction=False) as pipe:
                pipe.zremrangebyscore(EXPIRIES, "-inf", time.time())
                pipe.zcard(EXPIRIES)
                return int((await pipe.execute())[1])

        self._entries = await self._run(count)

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        await self._link.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _run(self, command: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await self._link.run(command)
        except RedisAwayError as error:
            raise CacheUnavailableError(str(error), repeated=error.repeated) from error


def _encode(answer: CachedAnswer) -> str:
    return json.dumps([answer.text, answer.documents, answer.relevance, answer.model, answer.quality])


def _decode(kept: bytes) -> CachedAnswer | None:
    # Another version of the service may have written it: what cannot be read is a miss.
    try:
        text, documents, relevance, model, quality = json.loads(kept)
        return CachedAnswer(str(text), tuple(documents), tuple(relevance), str(model), float(quality))
    except (ValueError, TypeError):
        return None
