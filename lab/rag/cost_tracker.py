"""Collects what queries cost and books it in batches, so that no query waits for the store."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from lab.rag.costs import Batch, CostStore, Report, hour_of, report
from lab.rag.record import QueryRecord


class CostTracker:
    """One for each process. What a store did not take is kept and offered again."""

    def __init__(self, store: CostStore, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._clock = clock
        self._open: dict[datetime, defaultdict[str, int]] = {}
        self._flushing = asyncio.Lock()
        self._closed: deque[Batch] = deque()

    def record(self, query: QueryRecord) -> None:
        """Note what a query cost."""
        if not query.charges:
            return
        amounts = self._open.setdefault(hour_of(self._clock()), defaultdict(int))
        for model, nano in query.charges:
            amounts[model] += nano

    async def flush(self) -> None:
        """Book what was noted. Raises CostsUnavailableError; nothing is lost then."""
        async with self._flushing:
            await self._book()
            # Closed only when the earlier ones are booked: while a store is away, one batch an hour waits.
            for hour in list(self._open):
                self._closed.append(Batch(uuid4().hex, hour, self._open.pop(hour)))
            await self._book()

    async def _book(self) -> None:
        while self._closed:
            await self.store.add(self._closed[0])
            self._closed.popleft()

    async def report(self) -> Report:
        """Report what was spent until now."""
        await self.flush()
        return await report(self.store, self._clock())
