"""Puts the service together from its settings."""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.rag import VERSION, corpus
from lab.rag.cache import AnswerCache, CacheStats, MemoryCache
from lab.rag.cost_tracker import CostTracker
from lab.rag.costs import CostStore, MemoryCosts
from lab.rag.errors import IndexMissingError, ServiceError
from lab.rag.index import MissingIndex, VectorIndex
from lab.rag.latency import Latency, LatencyProfile
from lab.rag.llm import QUEUE, MockModel, Prompting
from lab.rag.log import EventLog
from lab.rag.metrics import Gauges, Metrics
from lab.rag.pipeline import Index, Pipeline
from lab.rag.pricing import PriceList
from lab.rag.probes import Ping, Readiness
from lab.rag.quota import Quota
from lab.rag.record import QueryRecord
from lab.rag.recorder import Recorder
from lab.rag.settings import Settings
from lab.rag.switches import Switches
from lab.rag.vectors import new_embedder

PROVIDER = "mock-openai"
TICK_S = 0.5  # how often the log is written out, costs are booked and sizes refreshed


@dataclass(frozen=True, slots=True)
class FailureSink:
    """Counts and logs a failure that failed no query."""

    metrics: Metrics
    log: EventLog

    def __call__(self, error: ServiceError) -> None:
        """Take one failure; one that repeats is counted, but not logged again."""
        self.metrics.count_error(error.error_type, error.component)
        if not error.repeated:
            self.log.failure(error.error_type, error.component, error)


@dataclass(slots=True)
class Service:
    """A running service: what its routes and its housekeeping need."""

    settings: Settings
    pipeline: Pipeline
    readiness: Readiness
    costs: CostTracker
    failed: FailureSink
    log: EventLog
    queries_by_model: Counter[str]
    started: float

    async def keep_house(self) -> None:
        """Write the log out, book costs, refresh sizes and log summaries, until cancelled."""
        next_stats = time.monotonic() + self.settings.stats_interval_s
        while True:
            await asyncio.sleep(TICK_S)
            await self.tick()
            if time.monotonic() >= next_stats:
                next_stats += self.settings.stats_interval_s
                self.log_stats()

    async def tick(self) -> None:
        """One round of housekeeping; a store that is away is counted, and asked again in the next round."""
        for work in (self.costs.flush, self.pipeline.cache.refresh):
            try:
                await work()
            except ServiceError as error:
                self.failed(error)
        self.log.flush()

    def log_stats(self) -> None:
        """Log the summaries of cache and models."""
        cache, stats = self.pipeline.cache, self.pipeline.cache_stats
        self.log.stats(
            "cache_stats",
            "cache summary",
            {
                "cache_type": cache.kind,
                "hits": stats.hits,
                "misses": stats.misses,
                "hit_rate": round(stats.hit_ratio(), 4),
                "entries": cache.entries(),
            },
        )
        self.log.stats("model_stats", "model summary", {"queries": dict(self.queries_by_model)})

    async def close(self) -> None:
        """Book and write what is left, and let go of connections."""
        await self.tick()
        for thing in (self.costs.store, self.pipeline.cache):
            with contextlib.suppress(Exception):
                await thing.close()


def build(settings: Settings, metrics: Metrics, log: EventLog) -> Service:
    """The service of these settings. Raises ConfigError."""
    cache, store = _stores(settings)
    index = _index(settings, log)
    switches = Switches()
    model = _model(settings, switches)
    costs = CostTracker(store, lambda: datetime.now(UTC))
    failed = FailureSink(metrics, log)
    queries_by_model: Counter[str] = Counter()

    def count_model(query: QueryRecord) -> None:
        queries_by_model[query.model] += 1

    pipeline = Pipeline(
        cache=cache,
        cache_stats=CacheStats(),
        index=index,
        model=model,
        prices=PriceList(settings.cost_scale),
        switches=switches,
        recorder=Recorder(metrics.record, log.query, costs.record, count_model),
        cache_failed=failed,
    )
    metrics.watch(_gauges(pipeline), {"version": VERSION, "service": settings.service})
    pings: dict[str, Ping] = {"vector_index": index.ping, "llm": model.ping}
    if settings.redis_url:
        pings["redis"] = cache.ping
    readiness = Readiness(pings, settings.ready_timeout_ms / 1000)
    return Service(settings, pipeline, readiness, costs, failed, log, queries_by_model, time.monotonic())


def _model(settings: Settings, switches: Switches) -> MockModel:
    return MockModel(
        Latency(_profile(settings), settings.seed),
        Quota(PROVIDER, settings.quota_per_minute, time.monotonic, settings.quota_window_s),
        switches,
        settings.seed,
        settings.llm_error_rate,
        settings.llm_concurrency,
        Prompting(settings.llm_prompt_tokens, settings.llm_quality),
    )


def _gauges(pipeline: Pipeline) -> Gauges:
    return Gauges(
        cache_type=pipeline.cache.kind,
        cache_hit_ratio=pipeline.cache_stats.hit_ratio,
        cache_entries=pipeline.cache.entries,
        provider=PROVIDER,
        calls_left=pipeline.model.quota.remaining,
        queue=QUEUE,
        queue_depth=lambda: pipeline.model.waiting,
    )


def _profile(settings: Settings) -> LatencyProfile:
    return LatencyProfile(
        level_ms=settings.llm_latency_ms,
        jitter=settings.llm_jitter,
        swing_ms=settings.llm_swing_ms,
        swing_period_s=settings.llm_swing_period_s,
        noise_ms=settings.llm_noise_ms,
        noise_tau_s=settings.llm_noise_tau_s,
        min_ms=settings.llm_min_ms,
        max_ms=settings.llm_max_ms,
    )


def _index(settings: Settings, log: EventLog) -> Index:
    try:
        return VectorIndex(corpus.load(settings.corpus), new_embedder(settings.embedder))
    except IndexMissingError as error:
        log.failure(error.error_type, error.component, error)
        return MissingIndex(error)


def _stores(settings: Settings) -> tuple[AnswerCache, CostStore]:
    if not settings.redis_url:
        memory = MemoryCache(settings.cache_ttl_s, settings.cache_entries, time.monotonic)
        return memory, MemoryCosts()
    # Imported here: without Redis the service starts faster.
    from lab.rag.redis_cache import RedisCache
    from lab.rag.redis_costs import RedisCosts
    from lab.rag.redis_link import RedisLink

    link = RedisLink(settings.redis_url)
    return RedisCache(link, settings.cache_ttl_s), RedisCosts(link)
