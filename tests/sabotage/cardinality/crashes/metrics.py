"""A fix that was never started: the module it imports is not there."""

import promfetheus  # noqa: F401
