"""`lab bench`: the figures of repeated runs, their spread, and whether they differ from a baseline's."""
