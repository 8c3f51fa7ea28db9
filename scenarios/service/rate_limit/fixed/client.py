"""The client asks again when it may help: after a pause that doubles, and never before the service wants it."""

import random

ATTEMPTS, FIRST_S, LONGEST_S = 4, 1.0, 30.0


def wait_s(attempt: int, status: int, retry_after_s: float | None) -> float | None:
    """Seconds until the question is asked again; None: never."""
    if attempt >= ATTEMPTS or status not in (429, 502, 503):
        return None
    if retry_after_s is not None and retry_after_s > LONGEST_S:
        return None  # nobody waits so long for an answer: say so now
    pause = min(LONGEST_S, FIRST_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # not all at the same moment
    return (retry_after_s or 0.0) + pause  # on top: everybody may have been told the same moment
