"""One query from its beginning to its end: recorded once, in metrics, log and costs, whether it failed or not."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from uuid import uuid4

from lab.rag.errors import QueryCancelledError, ServiceError
from lab.rag.index import Found
from lab.rag.llm import Generation
from lab.rag.pricing import CACHED
from lab.rag.record import QueryRecord

Sink = Callable[[QueryRecord], None]  # wants to know about each finished query


class Observation:
    """What is known so far about a running query. Leaving the `with` block records it, failed or not."""

    def __init__(self, sinks: tuple[Sink, ...], endpoint: str, user_id: str, text: str, model: str) -> None:
        self.query_id = uuid4().hex
        self.cache_status = "miss"
        self.model = model
        self.duration_s = 0.0
        self._sinks = sinks
        self._endpoint = endpoint
        self._user_id = user_id
        self._text = text
        self._found: Found | None = None
        self._search_s: float | None = None
        self._generation: Generation | None = None
        self._quality: float | None = None
        self._charges: list[tuple[str, int]] = []

    def hit(self, quality: float) -> None:
        """The answer came from the cache."""
        self.cache_status = "hit"
        self.model = CACHED
        self._quality = quality

    def found(self, found: Found, search_s: float) -> None:
        """The vector search answered within `search_s` seconds."""
        self._found = found
        self._search_s = search_s

    def generated(self, generation: Generation, quality: float) -> None:
        """The model answered."""
        self._generation = generation
        self._quality = quality

    def charge(self, model: str, nano: int) -> None:
        """Nano-dollars were spent, also if the query fails later."""
        self._charges.append((model, nano))

    @property
    def cost_nano_usd(self) -> int:
        """What was spent so far."""
        return sum(nano for _, nano in self._charges)

    def __enter__(self) -> "Observation":
        self._timestamp = time.time()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.duration_s = time.perf_counter() - self._began
        query = self._finish(error)
        for sink in self._sinks:
            sink(query)

    def _finish(self, error: BaseException | None) -> QueryRecord:
        found, generation = self._found, self._generation
        failure = _failure(error)
        return QueryRecord(
            query_id=self.query_id,
            user_id=self._user_id,
            query_text=self._text,
            endpoint=self._endpoint,
            cache_status=self.cache_status,
            model=self.model,
            status="success" if error is None else "error",
            timestamp=self._timestamp,
            duration_s=self.duration_s,
            search_s=self._search_s,
            documents=len(found.documents) if found else None,
            relevance=found.relevance[0] if found and found.relevance else None,
            quality=self._quality,
            input_tokens=generation.input_tokens if generation else 0,
            output_tokens=generation.output_tokens if generation else 0,
            charges=tuple(self._charges),
            error_type=failure.error_type if failure else None,
            component=failure.component if failure else None,
            error=error,
        )


def _failure(error: BaseException | None) -> type[ServiceError] | None:
    if error is None:
        return None
    if isinstance(error, ServiceError):
        return type(error)
    return QueryCancelledError if isinstance(error, asyncio.CancelledError) else ServiceError


class Recorder:
    """Hands every finished query to each sink: metrics, log, costs."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def query(self, endpoint: str, user_id: str, text: str, model: str) -> Observation:
        """Watch one query: `with recorder.query(...) as seen:`; `model` is where a miss would go."""
        return Observation(self._sinks, endpoint, user_id, text, model)
