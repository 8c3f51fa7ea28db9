"""What is known about one query when it ends: the single source of its metrics, its log line and its cost."""

from dataclasses import dataclass

from lab.rag.pricing import NANO


@dataclass(frozen=True, slots=True)
class QueryRecord:
    """One finished query. Facts that a failed or cached query does not have are None or empty."""

    query_id: str
    user_id: str
    query_text: str
    endpoint: str
    cache_status: str  # hit, miss
    model: str  # "cached" for a hit
    status: str  # success, error
    timestamp: float  # unix seconds at which the query began
    duration_s: float
    search_s: float | None = None
    documents: int | None = None
    relevance: float | None = None  # of the best document, 0..1
    quality: float | None = None  # of the answer, 0..1
    input_tokens: int = 0
    output_tokens: int = 0
    charges: tuple[tuple[str, int], ...] = ()  # (model, nano-dollars), the embedding apart from the model
    error_type: str | None = None
    component: str | None = None
    error: BaseException | None = None

    @property
    def cost_usd(self) -> float:
        """What the query cost in US dollars; a float, for display and metrics only."""
        return sum(nano for _, nano in self.charges) / NANO

    @property
    def tokens_total(self) -> int:
        """Tokens in and out together."""
        return self.input_tokens + self.output_tokens
