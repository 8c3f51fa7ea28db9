"""The answer cache in the process, and what a cache that is away does to queries."""

import asyncio

from lab.rag.cache import CachedAnswer, MemoryCache
from lab.rag.errors import CacheUnavailableError

ANSWER = CachedAnswer("text", ("a",), (0.9,), "gpt-4o", 0.9)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_lives_for_its_time():
    clock = Clock()
    cache = MemoryCache(ttl_s=10, max_entries=5, clock=clock)

    async def go():
        await cache.put("k", ANSWER)
        clock.now = 9.9
        young = await cache.get("k")
        clock.now = 10.0
        return young, cache.entries(), await cache.get("k"), cache.entries()

    assert asyncio.run(go()) == (ANSWER, 1, None, 0)


def test_old_answers_do_not_count_as_entries_after_a_refresh():
    clock = Clock()
    cache = MemoryCache(ttl_s=10, max_entries=5, clock=clock)

    async def go():
        await cache.put("k", ANSWER)
        clock.now = 11
        await cache.refresh()

    asyncio.run(go())
    assert cache.entries() == 0


def test_the_least_recently_used_answer_makes_room():
    cache = MemoryCache(ttl_s=10, max_entries=2, clock=Clock())

    async def go():
        await cache.put("a", ANSWER)
        await cache.put("b", ANSWER)
        await cache.get("a")
        await cache.put("c", ANSWER)
        return [await cache.get(key) is not None for key in "abc"], cache.entries()

    assert asyncio.run(go()) == ([True, False, True], 2)


def test_a_cache_that_is_away_is_counted_but_fails_no_query(start, monkeypatch):
    seen = start()

    async def away(*_):
        raise CacheUnavailableError("redis: connection refused")

    monkeypatch.setattr(seen.service.pipeline.cache, "get", away)
    monkeypatch.setattr(seen.service.pipeline.cache, "put", away)
    answer = seen.ask()
    assert answer.status_code == 200
    assert answer.json()["cached"] is False
    assert seen.sample("rag_errors_total", error_type="cache_unavailable", component="cache") == 2
    assert seen.total("rag_queries_total", status="error") == 0
    assert seen.total("rag_queries_total", status="success") == 1
