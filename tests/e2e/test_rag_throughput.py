"""What retrieval, cache and metrics cost: requests a second side by side with the bare application."""

import pytest

from lab.rag.bench import compare

pytestmark = pytest.mark.e2e


def test_the_service_keeps_sixty_per_cent_of_the_bare_applications_requests():
    found = compare(rounds=7, seconds=1.0)
    assert found.failures == 0
    assert found.rate_ratio >= 0.6, found
