"""What a locustfile asks the lab: its rate, its seed."""

from __future__ import annotations

import os
import random


def per_user() -> float:
    """Requests a second that one user makes (`LAB_USER_RATE`; 1 without the lab)."""
    return float(os.environ.get("LAB_USER_RATE", "1"))


def generator(number: int = 0) -> random.Random:
    """A generator that depends on the run's seed (`LAB_SEED`) and on a number, such as the user's."""
    return random.Random(f"{os.environ.get('LAB_SEED', '1')}/{number}")
