"""Plausible, and wrong: mean and deviation of the whole week know no time of day."""

import numpy as np

from lab.exercises.anomaly import Reading

SIGMAS = 3.0


class Detector:
    """Built from a week, then asked once a minute."""

    def __init__(self, times, values):
        self.mean = float(np.mean(values))
        self.sigma = float(np.std(values))

    def check(self, time, value):
        z = (value - self.mean) / self.sigma
        low, high = self.mean - SIGMAS * self.sigma, self.mean + SIGMAS * self.sigma
        return Reading(self.mean, low, high, z, abs(z) > SIGMAS)
