"""Our rules catch a real failure of our monitoring, in time, and are silent otherwise."""

import pytest


@pytest.mark.lab("cardinality", detect="rules.yml")
def test_our_rules_see_an_unbounded_label_before_the_disk_is_full(lab_run):
    """Seen before it hurts, resolved after the fix, silent before and after."""
    assert lab_run.passed, str(lab_run)
