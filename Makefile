# The commands of a newcomer and of a developer. They need Python 3.11 or newer and make, and nothing else.
# On Windows, use the commands that CONTRIBUTING.md names instead.

PYTHON ?= python3
PYTEST_ARGS ?= -n 3
BENCH_ARGS ?=

# `make demo` is the first thing that an office sees, so it begins in the language of the demo itself.
LANGUAGE_HERE := $(firstword $(subst _, ,$(or $(CASE_IMPORTER_LANG),$(LC_ALL),$(LC_MESSAGES),$(LANG))))
INSTALLING_en := Installing into .venv (a minute or two the first time)
INSTALLING_es := Instalando en .venv (la primera vez, uno o dos minutos)
INSTALLING_pt := Instalando em .venv (na primeira vez, um ou dois minutos)

BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format readme messages pictures wheel bundle windows-check bench clean

help:  ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## Create .venv and install the importer into it

$(INSTALLED): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "$(PYTHON) is not installed. Install Python 3.11 or newer, or name the one to use: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$$("$(PYTHON)" --version 2>&1) is too old: the importer needs 3.11 or newer. Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$$("$(PYTHON)" --version 2>&1) has no venv module. Install it (Debian, Ubuntu: apt install python3-venv) and try again." >&2; exit 1; }
	@echo "$(or $(INSTALLING_$(LANGUAGE_HERE)),$(INSTALLING_en))"
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install  ## Import the sample spreadsheet into a simulated CRM on this computer
	@$(BIN)/case-importer demo

test: install  ## Run the tests; the last lines name those that were skipped, and why
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: install  ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: install  ## Format the code
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

readme: install  ## Update the command outputs that README.md and the guides show
	$(BIN)/python tests/test_readme.py --update

messages: install  ## Update the template file and the catalogues of the languages (importer/locale), and compile them
	$(BIN)/python tests/test_messages.py --update

pictures: install  ## Take the pictures of the page again that docs/es shows (needs Chromium)
	$(BIN)/python tests/pictures.py

wheel: install  ## Build the wheel into dist/, and a ZIP file for Windows; try it in an empty environment
	$(BIN)/python tests/wheel_check.py

bundle: install  ## Build dist/case-importer, which runs without Python, and try it (two minutes)
	$(BIN)/python tests/bundle_check.py

windows-check: install  ## Ask PyPI whether every library is ready-made for Windows, for each version of Python
	$(BIN)/python tests/windows_check.py

bench: install  ## Measure speed and memory, and update docs/performance.md
	$(BIN)/python -m bench.run $(BENCH_ARGS)

clean:  ## Remove what the other targets made
	rm -rf .venv build dist demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find importer tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
