"""A seasonal baseline: what is usual at this time of day, and by how much it varies."""

from collections import deque

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lab.exercises.anomaly import Reading

DAY = 1440  # checks
AROUND = 15  # checks before and after, as the same time of day: one value a day is too few to know how it varies
SIGMAS = 3.0
IN_A_ROW = 2  # of 1440 checks a day, four lie beyond three sigma by chance; two in a row hardly ever do


class Detector:
    """Built from a week, then asked once a minute."""

    def __init__(self, times, values):
        days = values.reshape(-1, DAY)
        around = np.concatenate([days[:, -AROUND:], days, days[:, :AROUND]], axis=1)
        windows = sliding_window_view(around, 2 * AROUND + 1, axis=1)
        self.mean = windows.mean(axis=(0, 2))  # a moving average over the time of day, over all days
        self.sigma = windows.std(axis=(0, 2))
        self.first = int(times[0]) // 60 % DAY
        self.beyond = deque([False] * IN_A_ROW, IN_A_ROW)

    def check(self, time, value):
        minute = (int(time) // 60 - self.first) % DAY
        mean, sigma = float(self.mean[minute]), float(self.sigma[minute])
        z = (value - mean) / sigma
        self.beyond.append(abs(z) > SIGMAS)
        return Reading(mean, mean - SIGMAS * sigma, mean + SIGMAS * sigma, z, all(self.beyond))
