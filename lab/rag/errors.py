"""Everything that can go wrong, as one tree.

ServiceError                 a query or a dependency failed; says which component
├── RateLimitedError         the provider's quota for this window is used up (HTTP 429)
├── ModelFailedError         the model answered with an error (HTTP 502)
├── IndexMissingError        there is no vector index to search (HTTP 503)
├── CacheUnavailableError    the answer cache did not answer; the query goes on without it
├── CostsUnavailableError    the store of costs did not answer; what was not booked is kept
└── QueryCancelledError      the service stopped while the query ran (HTTP 503)
ForbiddenError               the client may not use the admin switches (HTTP 403)
ConfigError                  the service cannot start as asked (exit 2)
UnknownModelError            there is no price for this model
"""

from typing import ClassVar


class ServiceError(Exception):
    """A failure of one component, with the labels under which it is counted."""

    error_type: ClassVar[str] = "internal"
    component: ClassVar[str] = "service"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, repeated: bool = False) -> None:
        super().__init__(message)
        self.repeated = repeated  # the same failure was logged a moment ago; count it, but do not log it again


class RateLimitedError(ServiceError):
    """The provider refused the call; `retry_after_s` seconds remain until its window is renewed."""

    error_type = "rate_limit"
    component = "llm"
    http_status = 429

    def __init__(self, provider: str, retry_after_s: float) -> None:
        super().__init__(f"{provider}: rate limit reached, retry in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class ModelFailedError(ServiceError):
    """The model answered with an error instead of a text."""

    error_type = "model_error"
    component = "llm"
    http_status = 502


class IndexMissingError(ServiceError):
    """The vector index could not be built or loaded."""

    error_type = "index_missing"
    component = "retrieval"
    http_status = 503


class CacheUnavailableError(ServiceError):
    """The answer cache could not be reached; a query survives this as a miss."""

    error_type = "cache_unavailable"
    component = "cache"


class CostsUnavailableError(ServiceError):
    """The store of costs could not be reached; what was not booked is kept and offered again."""

    error_type = "costs_unavailable"
    component = "costs"
    http_status = 503


class QueryCancelledError(ServiceError):
    """The service was stopped while the query was running."""

    error_type = "cancelled"
    http_status = 503


class ConfigError(Exception):
    """The service cannot start as asked; the message is the one line to show."""


class ForbiddenError(Exception):
    """The client may not use the admin switches (HTTP 403)."""


class UnknownModelError(ValueError):
    """A model without a price: its cost would be silently wrong, so it is refused."""

    def __init__(self, model: str) -> None:
        super().__init__(f"no price is known for model {model!r}")


# Every (error_type, component) that can be counted, so that each series exists from the start.
COUNTED = [
    (kind.error_type, kind.component)
    for kind in (
        ServiceError,
        RateLimitedError,
        ModelFailedError,
        IndexMissingError,
        CacheUnavailableError,
        CostsUnavailableError,
        QueryCancelledError,
    )
]
