"""The provider's rate limit: so many calls in each window of fixed length."""

from collections.abc import Callable

from lab.rag.errors import RateLimitedError


class Quota:
    """Counts calls against the window; `remaining` is the headroom that a provider reports."""

    def __init__(self, provider: str, calls: int, clock: Callable[[], float], window_s: float = 60.0) -> None:
        self.provider = provider
        self.calls = calls  # a switch may change it; what was used in this window stays used
        self._clock = clock
        self._window_s = window_s
        self._started = clock()
        self._used = 0

    def take(self) -> None:
        """Use one call. Raises RateLimitedError when none is left."""
        if self.remaining() <= 0:
            raise RateLimitedError(self.provider, self._started + self._window_s - self._clock())
        self._used += 1

    def remaining(self) -> int:
        """Calls left in this window."""
        elapsed = self._clock() - self._started
        if elapsed >= self._window_s:
            self._started += elapsed // self._window_s * self._window_s
            self._used = 0
        return max(0, self.calls - self._used)
