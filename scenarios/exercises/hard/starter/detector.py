"""Fill in both methods. `times`: Unix seconds, one check a minute; `values`: queries a second, as numpy arrays."""

from lab.exercises.anomaly import Reading


class Detector:
    """Built from a week, then asked once a minute."""

    def __init__(self, times, values):
        """Learn from seven normal days (7 x 1440 values) what is usual."""

    def check(self, time, value):
        """Judge one value; asked once a minute, in order, for one day."""
        return Reading(expected=value, low=value, high=value, z=0.0, flagged=False)
