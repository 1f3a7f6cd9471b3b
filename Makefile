# `make demo` and `make test` work as the first command in a fresh clone: they make .venv and install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready

# Tests start many processes, which start much faster with the bytecode of the last time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: all demo test test-slow test-deep lint format bench coverage clean

all: lint test

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("antiphon needs Python 3.11 or later, and this is " + sys.version.split()[0] + ": make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	touch $(INSTALLED)

$(READY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --group dev
	touch $(READY)

demo: $(INSTALLED)
	$(BIN)/antiphon demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-slow: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup -m slow

test-deep: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --hypothesis-profile=deep

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m bench

coverage: $(READY)
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis runs
