"""A shape for any locustfile, given to Locust beside it. `LAB_LOAD_SHAPE`, `_USERS` and `_SPEED` say which."""

from __future__ import annotations

import os

from locust import LoadTestShape

from lab.loadgen.shapes import users_at

SHAPE = os.environ["LAB_LOAD_SHAPE"]
USERS = int(os.environ["LAB_LOAD_USERS"])
SPEED = float(os.environ["LAB_LOAD_SPEED"])


class Shaped(LoadTestShape):
    """Follows the shape until it is stopped."""

    def tick(self) -> tuple[int, float]:
        """Users, and how many may come or go in a second: all at once."""
        seconds = float(self.get_run_time())  # type: ignore[no-untyped-call]
        return users_at(SHAPE, USERS, seconds * SPEED), float(2 * USERS)
