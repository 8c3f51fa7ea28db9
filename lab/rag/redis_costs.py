"""Costs in Redis: a hash for each hour and for each day, whose fields are models and whose values nano-dollars."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from lab.rag.costs import DAYS_KEPT, HOURS_KEPT, Amounts, Batch, day_of
from lab.rag.errors import CostsUnavailableError
from lab.rag.redis_link import RedisAwayError, RedisLink

T = TypeVar("T")

HOUR_KEY = "rag:costs:hour:{:%Y-%m-%dT%H}"
DAY_KEY = "rag:costs:day:{:%Y-%m-%d}"
BATCH_KEY = "rag:costs:batch:{}"
BATCH_REMEMBERED_S = 3600

# One script, so that a batch is booked as a whole. When its answer is lost on the way, the batch is offered
# again; its key then says that it was booked already.
BOOK = """
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  for i = 4, #ARGV, 2 do
    redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1])
    redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[i + 1])
  end
  redis.call('EXPIREAT', KEYS[2], ARGV[2])
  redis.call('EXPIREAT', KEYS[3], ARGV[3])
end
return 1
"""


class RedisCosts:
    """Any number of processes may book at the same time; Redis adds up whole numbers, so nothing is lost."""

    kind = "redis"

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def add(self, batch: Batch) -> None:
        """Book a batch, once, however often it is handed over. Raises CostsUnavailableError."""
        day = day_of(batch.hour)
        keys = (BATCH_KEY.format(batch.id), HOUR_KEY.format(batch.hour), DAY_KEY.format(day))
        hour_ends = batch.hour + timedelta(hours=1) + HOURS_KEPT
        day_ends = day + timedelta(days=1) + DAYS_KEPT
        amounts = [part for model, nano in batch.amounts.items() for part in (model, nano)]
        arguments = [BATCH_REMEMBERED_S, int(hour_ends.timestamp()), int(day_ends.timestamp()), *amounts]
        await self._run(lambda client: client.eval(BOOK, len(keys), *keys, *arguments))

    async def hours(self, hours: list[datetime]) -> list[Amounts]:
        """What was booked in each of these hours. Raises CostsUnavailableError."""
        return await self._read(HOUR_KEY.format(hour) for hour in hours)

    async def days(self, days: list[datetime]) -> list[Amounts]:
        """What was booked on each of these days. Raises CostsUnavailableError."""
        return await self._read(DAY_KEY.format(day) for day in days)

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _read(self, keys: Iterable[str]) -> list[Amounts]:
        async def read(client: Any) -> list[dict[bytes, bytes]]:
            async with client.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hgetall(key)
                return list(await pipe.execute())

        return [{model.decode(): int(nano) for model, nano in bucket.items()} for bucket in await self._run(read)]

    async def _run(self, command: Callable[[Any], Awaitable[T]]) -> T:
        try:
            return await self._link.run(command)
        except RedisAwayError as error:
            raise CostsUnavailableError(str(error), repeated=error.repeated) from error
