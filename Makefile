# What a newcomer and a developer run. Needs Python 3.11 or newer and make, and nothing else.
# On Windows, CONTRIBUTING.md names the commands behind these targets.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2
BENCH_ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format readme bench clean

help:  ## Show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## Make .venv and install the importer into it

$(INSTALLED): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$$("$(PYTHON)" --version 2>&1) is too old: the importer needs 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$$("$(PYTHON)" --version 2>&1) comes without venv. Install it (Debian, Ubuntu: apt install python3-venv) and try again." >&2; exit 1; }
	@echo "Installing into .venv (a minute or two the first time)"
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install  ## Import the sample spreadsheet into a stand-in CRM on this machine
	@$(BIN)/python -m importer.sandbox.demo

test: install  ## Run the tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: install  ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: install  ## Put the code into its format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

readme: install  ## Renew the outputs that README.md shows
	$(BIN)/python tests/test_readme.py --update

bench: install  ## Measure speed and memory, and renew docs/performance.md
	$(BIN)/python -m bench.run $(BENCH_ARGS)

clean:  ## Remove everything that these targets made
	rm -rf .venv build demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find importer tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
