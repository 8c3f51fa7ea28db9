"""The healthy client of the service: it asks once. A deployment's `client.py` replaces it."""


def wait_s(attempt: int, status: int, retry_after_s: float | None) -> float | None:  # noqa: ARG001
    """Seconds of production time until the question is asked again; None: never.

    `attempt`: how often it was asked, from 1. `status`: of the HTTP answer, 0 without one. `retry_after_s`: what the
    service asked for.
    """
    return None
