"""The way of a query: cache, vector search, generation, cache again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from lab.rag.cache import AnswerCache, CachedAnswer, CacheStats
from lab.rag.corpus import Document
from lab.rag.errors import CacheUnavailableError
from lab.rag.index import Found
from lab.rag.llm import Generation, MockModel, count_tokens
from lab.rag.pricing import EMBEDDING_MODEL, PriceList
from lab.rag.recorder import Observation, Recorder
from lab.rag.switches import Switches


class Index(Protocol):
    """What can be searched."""

    def search(self, query: str, top_k: int) -> Found:
        """The nearest documents. Raises IndexMissingError."""

    def find(self, ids: tuple[str, ...]) -> tuple[Document, ...] | None:
        """The documents with these ids; None when one of them is not in this index."""

    async def ping(self) -> None:
        """Raise unless the index answers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is made or found."""

    text: str
    documents: tuple[Document, ...]
    relevance: tuple[float, ...]
    cached: bool
    model: str
    quality: float
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user gets: the reply, and how long it took."""

    query_id: str
    latency_s: float
    reply: Reply


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The parts that answer queries."""

    cache: AnswerCache
    cache_stats: CacheStats
    index: Index
    model: MockModel
    prices: PriceList
    switches: Switches
    recorder: Recorder
    cache_failed: Callable[[CacheUnavailableError], None]  # is told when a query goes on without it

    async def answer(self, endpoint: str, user_id: str, query: str, top_k: int) -> Answer:
        """Answer one query. Raises ServiceError; every outcome is recorded exactly once."""
        with self.recorder.query(endpoint, user_id, query, self.model.route(query)) as seen:
            key = cache_key(query, top_k)
            reply = await self._cached(seen, key)
            if reply is None:
                reply = await self._generated(seen, key, query, top_k)
        return Answer(seen.query_id, seen.duration_s, reply)

    async def _cached(self, seen: Observation, key: str) -> Reply | None:
        kept = None
        if self.switches.cache:
            try:
                kept = await self.cache.get(key)
            except CacheUnavailableError as error:
                self.cache_failed(error)
        documents = self.index.find(kept.documents) if kept else None
        if kept is None or documents is None:
            self.cache_stats.misses += 1
            return None
        self.cache_stats.hits += 1
        quality = kept.quality * self.switches.quality
        seen.hit(quality)
        return Reply(kept.text, documents, kept.relevance, cached=True, model=seen.model, quality=quality)

    async def _generated(self, seen: Observation, key: str, query: str, top_k: int) -> Reply:
        began = time.perf_counter()
        found = self.index.search(query, top_k)
        seen.found(found, time.perf_counter() - began)
        seen.charge(EMBEDDING_MODEL, self.prices.charge(EMBEDDING_MODEL, count_tokens(query), 0))
        made = await self.model.generate(query, found.documents)
        seen.charge(seen.model, self.prices.charge(seen.model, made.input_tokens, made.output_tokens))
        quality = made.quality * self.switches.quality
        seen.generated(made, quality)
        if self.switches.cache:
            await self._store(key, seen.model, found, made)
        return Reply(
            text=made.text,
            documents=found.documents,
            relevance=found.relevance,
            cached=False,
            model=seen.model,
            quality=quality,
            input_tokens=made.input_tokens,
            output_tokens=made.output_tokens,
            cost_nano_usd=seen.cost_nano_usd,
        )

    async def _store(self, key: str, model: str, found: Found, made: Generation) -> None:
        ids = tuple(document.id for document in found.documents)
        try:
            await self.cache.put(key, CachedAnswer(made.text, ids, found.relevance, model, made.quality))
        except CacheUnavailableError as error:
            self.cache_failed(error)


def cache_key(query: str, top_k: int) -> str:
    """The same for queries that differ only in case and spacing."""
    plain = " ".join(query.lower().split())
    return blake2b(f"{top_k} {plain}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
