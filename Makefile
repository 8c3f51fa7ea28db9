# Everything below needs python3 >= 3.11 with venv, make, and a network to the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: containers curves screenshots demo test sabotage scenarios soak bench unit lint setup servers clean

setup: $(STAMP)

# The stamp is written last: an interrupted set-up starts over, a finished one is not repeated.
$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'lab: python3 >= 3.11 is needed; set PYTHON=/path/to/python3.11' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

servers: setup
	$(BIN)/lab install

demo: servers
	$(BIN)/lab run cardinality

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest -n auto tests/unit

# Live tests that do not mind each other run side by side: they wait more than they compute. Runs have the machine to themselves.
SHORT := not sabotage and not whole and not contained

test: servers lint unit
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m '$(SHORT) and beside' tests/e2e
	$(BIN)/pytest -m '$(SHORT) and not beside' tests/e2e

# Live runs of deliberately broken labs: every one must be caught.
sabotage: servers
	$(BIN)/pytest -m sabotage

# Whole live runs of the scenarios beside the main job.
scenarios: servers
	$(BIN)/pytest -m 'whole and not sabotage'

# Whole live runs in containers; skipped with the reason where no engine answers or images are missing.
containers: servers
	$(BIN)/pytest -m contained

# Long repetitions, the five in turn and control runs among them, with their figures; resumes where it was interrupted.
# SOAK=--busy keeps the other core busy meanwhile.
RUNS ?= 20
SCENARIO ?=
SOAK ?=
soak: servers
	$(BIN)/python tests/soak.py $(SCENARIO) --runs $(RUNS) $(SOAK)

# What the lab itself computes, and its load generator, each beside a reference: read the ratios (docs/performance.md).
bench: setup
	$(BIN)/pytest tests/bench/bench_lab.py --benchmark-columns=min,median,rounds --benchmark-sort=min --benchmark-max-time=0.5
	$(BIN)/python tests/bench/load.py

# The pictures of the docs, from recorded runs; needs Chromium. Look at each before it is committed.
screenshots: setup
	$(BIN)/python tests/screenshots.py

# The growth curves of docs/performance.md from what was measured, which is in docs/pictures/curves.json.
curves: setup
	$(BIN)/python tests/curves.py draw

clean:
	-$(BIN)/lab clean
	rm -rf $(VENV) runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
