"""The HTML report of a stored run: one file that needs no network, made from the run's folder alone."""
