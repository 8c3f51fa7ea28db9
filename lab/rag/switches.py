"""What an operator may change while the service runs."""

from dataclasses import dataclass


@dataclass(slots=True)
class Switches:
    """The current positions; None leaves the configured behaviour alone."""

    latency_ms: float | None = None  # a fixed level instead of the configured one
    error_rate: float | None = None  # share of model calls that fail, 0..1
    quota: int | None = None  # the provider's calls a window
    quality: float = 1.0  # factor on the quality of answers, 0..1
    cost_factor: float = 1.0  # factor on all prices
    wander_from_s: float | None = None  # the second from which the wandering latency was last made to go on
    cache: bool = True  # False: every query is a miss
