"""Answers kept for a while, so that the same question costs nothing the second time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What is kept of an answer. Documents by id: their texts are in the corpus."""

    text: str
    documents: tuple[str, ...]
    relevance: tuple[float, ...]
    model: str  # which wrote it
    quality: float


class AnswerCache(Protocol):
    """Where answers are kept. Both operations raise CacheUnavailableError."""

    kind: str  # the `cache_type` of its metrics

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer under this key, unless it is too old."""

    async def put(self, key: str, answer: CachedAnswer) -> None:
        """Keep the answer for the cache's time to live."""

    def entries(self) -> int:
        """How many answers are kept; may lag by a second."""

    async def refresh(self) -> None:
        """Bring `entries` up to date."""

    async def ping(self) -> None:
        """Raise unless the cache answers."""

    async def close(self) -> None:
        """Let go of connections."""


class MemoryCache:
    """In the process: least recently used answers go first, old ones when they are met."""

    kind = "memory"

    def __init__(self, ttl_s: float, max_entries: int, clock: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, CachedAnswer]] = OrderedDict()

    async def get(self, key: str) -> CachedAnswer | None:
        """The answer under this key, unless it is too old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        expires, answer = kept
        if self._clock() >= expires:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return answer

    async def put(self, key: str, answer: CachedAnswer) -> None:
        """Keep the answer; the least recently used one makes room."""
        self._kept[key] = (self._clock() + self._ttl_s, answer)
        self._kept.move_to_end(key)
        if len(self._kept) > self._max_entries:
            self._kept.popitem(last=False)

    def entries(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    async def refresh(self) -> None:
        """Forget what is too old, so that the size does not lie."""
        now = self._clock()
        for key in [key for key, (expires, _) in self._kept.items() if now >= expires]:
            del self._kept[key]

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass(slots=True)
class CacheStats:
    """Lookups since the start."""

    hits: int = 0
    misses: int = 0

    def hit_ratio(self) -> float:
        """Hits per lookup, 0 to 1; 0 before the first lookup."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0
