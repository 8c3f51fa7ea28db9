"""The client does not take no for an answer: it asks again at once, up to three times more."""

ATTEMPTS = 4


def wait_s(attempt: int, status: int, retry_after_s: float | None) -> float | None:
    """Seconds until the question is asked again; None: never."""
    return 0.0 if status != 200 and attempt < ATTEMPTS else None
