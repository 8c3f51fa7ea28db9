"""How long the mock model takes: a wandering level, plus jitter of each call."""

import math
from dataclasses import dataclass
from random import Random

STEPS_PER_TAU = 20  # resolution of the drift; finer changes nothing that can be seen


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """level + swing * sine + drift, then jitter, then limits. Milliseconds and seconds as the names say."""

    level_ms: float = 5.0
    jitter: float = 0.05
    swing_ms: float = 0.0
    swing_period_s: float = 10.0
    noise_ms: float = 0.0
    noise_tau_s: float = 4.0
    min_ms: float = 0.0
    max_ms: float = 60_000.0


class Latency:
    """The latency of calls over the time since the start. The level depends on seed and time alone."""

    def __init__(self, profile: LatencyProfile, seed: int) -> None:
        self.profile = profile
        self._jitter = Random(f"{seed} jitter")
        self._drift_source = Random(f"{seed} drift")
        self._drift_ms = 0.0
        self._steps = 0

    def level_ms(self, elapsed_s: float) -> float:
        """The undisturbed latency `elapsed_s` after the start; time must not run backwards."""
        profile = self.profile
        swing = profile.swing_ms * math.sin(2 * math.pi * elapsed_s / profile.swing_period_s)
        return profile.level_ms + swing + self._drift(elapsed_s)

    def draw_s(self, elapsed_s: float, level_ms: float | None = None) -> float:
        """Seconds that the next call takes; `level_ms` replaces the wandering level."""
        profile = self.profile
        level = self.level_ms(elapsed_s)
        if level_ms is not None:
            return max(0.0, level_ms * (1 + self._jitter.gauss(0, profile.jitter))) / 1000
        call = level * (1 + self._jitter.gauss(0, profile.jitter))
        return min(max(call, profile.min_ms), profile.max_ms) / 1000

    def _drift(self, elapsed_s: float) -> float:
        profile = self.profile
        if not profile.noise_ms:
            return 0.0
        step_s = profile.noise_tau_s / STEPS_PER_TAU
        keep = math.exp(-1 / STEPS_PER_TAU)
        spread = profile.noise_ms * math.sqrt(1 - keep * keep)
        # A long silence needs no more steps than the drift's memory is long.
        due = int(elapsed_s / step_s)
        first = max(self._steps, due - 10 * STEPS_PER_TAU)
        for _ in range(first, due):
            self._drift_ms = keep * self._drift_ms + self._drift_source.gauss(0, spread)
        self._steps = max(due, self._steps)
        return self._drift_ms
