"""The mock language model: it costs no money and needs no GPU, but takes time, tokens and quota, and can fail."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lab.rag.corpus import Document
from lab.rag.errors import ModelFailedError
from lab.rag.latency import Latency
from lab.rag.pricing import CHAT_MODELS
from lab.rag.quota import Quota
from lab.rag.switches import Switches

QUEUE = "llm"
MODEL_SHARES = (0.2, 0.5, 0.3)  # how a router would spread queries over CHAT_MODELS
QUALITY_SPREAD = 0.04
OUTPUT_MEDIAN, OUTPUT_SPREAD, OUTPUT_LIMIT = 5.1, 0.35, 2000  # log-normal: a median of 164 tokens


@dataclass(frozen=True, slots=True)
class Prompting:
    """How the model is asked, and what comes of it."""

    tokens: int  # the instructions that go with every query
    quality: float  # of its answers, the mean


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model answered."""

    text: str
    input_tokens: int
    output_tokens: int
    quality: float  # 0..1, as an evaluator would score it; the quality switch comes on top


def count_tokens(text: str) -> int:
    """About four characters a token, as for English text and common tokenisers."""
    return len(text) // 4 + 1


class MockModel:
    """Answers from the documents it is given. The same seed and the same calls give the same answers."""

    def __init__(
        self, latency: Latency, quota: Quota, switches: Switches, seed: int, error_rate: float, concurrency: int,
        prompting: Prompting,
    ) -> None:  # fmt: skip
        self.quota = quota
        self.waiting = 0  # the queue's depth
        self._latency = latency
        self._switches = switches
        self._seed = seed
        self._error_rate = error_rate
        self._prompting = prompting
        self._slots = asyncio.Semaphore(concurrency)
        self._random = Random(f"{seed} model")
        self._started = time.monotonic()

    def route(self, query: str) -> str:
        """The model that a query goes to; the same text always goes to the same one."""
        point = self._point("route", query)
        for model, share in zip(CHAT_MODELS, MODEL_SHARES, strict=True):
            point -= share
            if point < 0:
                return model
        return CHAT_MODELS[-1]

    async def generate(self, query: str, documents: Sequence[Document]) -> Generation:
        """Answer from the documents. Raises RateLimitedError and ModelFailedError."""
        self.quota.take()
        if self._slots.locked():
            self.waiting += 1
            try:
                await self._slots.acquire()
            finally:
                self.waiting -= 1
        else:
            await self._slots.acquire()
        try:
            await asyncio.sleep(self._latency.draw_s(self._elapsed(), self._switches.latency_ms))
        finally:
            self._slots.release()
        if self._random.random() < self.error_rate:
            raise ModelFailedError("the model answered 500: overloaded")
        return self._answer(query, documents)

    async def ping(self) -> None:
        """Ask whether the provider is there, as listing its models would. Raises ModelFailedError."""
        if self.error_rate >= 1:
            raise ModelFailedError("every call to the model fails")
        level_ms = self._switches.latency_ms
        if level_ms is None:
            level_ms = self._latency.level_ms(self._elapsed())
        await asyncio.sleep(max(0.0, level_ms) / 10_000)  # a tenth of a generation

    def wander_from(self, elapsed_s: float) -> None:
        """Let the latency go on as it is `elapsed_s` after a start: what it does from here on is the seed's alone."""
        self._latency = Latency(self._latency.profile, self._seed)
        self._started = time.monotonic() - elapsed_s

    @property
    def error_rate(self) -> float:
        """Share of calls that fail now."""
        switched = self._switches.error_rate
        return self._error_rate if switched is None else switched

    def _answer(self, query: str, documents: Sequence[Document]) -> Generation:
        if documents:
            text = " ".join(document.first_sentence for document in documents[:2])
        else:
            text = "The documents say nothing about this."
        context = sum(document.tokens for document in documents)
        output = min(OUTPUT_LIMIT, int(self._random.lognormvariate(OUTPUT_MEDIAN, OUTPUT_SPREAD)) + 20)
        quality = self._random.gauss(self._prompting.quality, QUALITY_SPREAD)
        return Generation(
            text=text,
            input_tokens=self._prompting.tokens + context + count_tokens(query),
            output_tokens=output,
            quality=round(min(max(quality, 0.0), 1.0), 4),
        )

    def _point(self, purpose: str, query: str) -> float:
        return zlib.crc32(f"{self._seed} {purpose} {query}".encode("utf-8", "surrogatepass")) / 2**32

    def _elapsed(self) -> float:
        return time.monotonic() - self._started
