# make demo    see it work, offline, on made-up news: make demo ARGS="--port 0" on any free port
# make test    the whole test suite
# make fuzz    spoiled inputs until something breaks: make fuzz MINUTES=60
# make lint    formatting, lint, types
# make check   lint and test
# Needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt

MINUTES ?= 10

.PHONY: demo test fuzz lint check clean
.DEFAULT_GOAL := check

demo: $(VENV)/runtime
	$(BIN)/newsfold demo $(ARGS)

test: $(VENV)/test
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(ARGS)

fuzz: $(VENV)/test
	$(BIN)/python tests/fuzz.py --minutes $(MINUTES) $(ARGS)

lint: $(VENV)/lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Newsfold needs Python 3.11 or newer: make PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip

$(VENV)/runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[postgres]'
	@touch $@

$(VENV)/test: $(VENV)/runtime
	$(INSTALL) --group test
	@touch $@

$(VENV)/lint: $(VENV)/test
	$(INSTALL) --group lint
	@touch $@
