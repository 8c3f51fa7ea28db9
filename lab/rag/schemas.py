"""The JSON that goes in and out, as the OpenAPI page shows it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

QUERY_LIMIT = 4000  # characters
USER_LIMIT = 128


class QueryRequest(BaseModel):
    """A question."""

    query: Annotated[str, Field(min_length=1, max_length=QUERY_LIMIT, examples=["How do I rotate a password?"])]
    user_id: Annotated[str, Field(min_length=1, max_length=USER_LIMIT, examples=["user-17"])]
    top_k: Annotated[int | None, Field(ge=1, le=20, description="Documents to use.")] = None


class DocumentFound(BaseModel):
    """A document that the answer is made from."""

    id: str
    title: str
    text: str
    relevance: float


class QueryAnswer(BaseModel):
    """An answer and what it took."""

    query_id: str
    answer: str
    documents: list[DocumentFound]
    cached: bool
    model: str
    quality: float
    tokens: dict[Literal["input", "output"], int]
    cost_usd: float
    latency_ms: float


class Problem(BaseModel):
    """Why a request failed."""

    error: str
    message: str


class SwitchesChange(BaseModel):
    """Switches to change; what is absent stays as it is, null goes back to the configuration."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Annotated[float | None, Field(ge=0, le=60_000)] = None
    error_rate: Annotated[float | None, Field(ge=0, le=1)] = None
    quota: Annotated[int | None, Field(ge=0, le=10**9)] = None
    quality: Annotated[float | None, Field(ge=0, le=1)] = None
    cost_factor: Annotated[float | None, Field(ge=0, le=10**6)] = None
    wander_from_s: Annotated[float | None, Field(ge=0, le=86_400)] = None
    cache: bool | None = None


class SwitchesState(BaseModel):
    """The current positions; null means: as configured."""

    latency_ms: float | None
    error_rate: float | None
    quota: int | None
    quality: float
    cost_factor: float
    wander_from_s: float | None
    cache: bool


class Health(BaseModel):
    """The process is up."""

    status: Literal["ok"]
    uptime_s: float


class Dependency(BaseModel):
    """What a dependency answered."""

    ok: bool
    latency_ms: float
    error: str | None


class Ready(BaseModel):
    """Whether the service can answer queries, and who is to blame when not."""

    status: Literal["ready", "not ready"]
    uptime_s: float
    dependencies: dict[str, Dependency]


class Amount(BaseModel):
    """Money: whole nano-dollars, and the same in dollars as an exact decimal."""

    nano_usd: int
    usd: str


class ModelShare(Amount):
    """One model's part of the last seven days."""

    share: float


class CostReport(BaseModel):
    """What was spent and what that comes to."""

    store: str
    last_hour: Amount
    last_24h: Amount
    last_7d: Amount
    by_model: dict[str, ModelShare]
    days_with_data: int
    projected_day: Amount | None
    projected_month: Amount | None
    projected_year: Amount | None


Responses = dict[int | str, dict[str, Any]]

BODY_PROBLEMS: Responses = {
    400: {"model": Problem, "description": "The body cannot be read"},
    413: {"model": Problem, "description": "The body is too large"},
}
QUERY_PROBLEMS: Responses = {
    **BODY_PROBLEMS,
    429: {"model": Problem, "description": "The provider's rate limit is reached; see Retry-After"},
    502: {"model": Problem, "description": "The model failed"},
    503: {"model": Problem, "description": "The vector index is missing, or the service stops"},
}
