# `make demo` and `make test` work as the first command in a fresh clone: they make an environment, and install in it what
# they need. Each Python has its own: `make test PYTHON=python3.12` makes .venv-3.12 and leaves .venv as it is.
PYTHON ?= python3
VENV_OF_ANOTHER = .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV := $(if $(filter-out python3,$(PYTHON)),$(VENV_OF_ANOTHER),.venv)
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
LINTERS := $(VENV)/.linters
SITE_MAKER := $(VENV)/.docs
PIP_INSTALL := $(BIN)/python -m pip install --quiet

# What a page shows in few lines needs no annotations, and a page may have a class twice.
AS_PAGES_WRITE := --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls --allow-untyped-decorators \
	--disable-error-code no-redef --disable-error-code import-untyped

# Tests start many processes, which start much faster with the bytecode of the last time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: all help demo test test-slow test-deep real coverage lint types format docs picture wheel bench clean

all: lint test ## lint and test (what `make` alone does)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'PYTHON=python3.12 before or after any of them takes another Python, in an environment of its own.'

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("antiphon needs Python 3.11 or later, and this is " + sys.version.split()[0] + ": make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --upgrade 'pip>=25.1'
	$(PIP_INSTALL) --editable .
	touch $(INSTALLED)

$(READY): $(INSTALLED)
	$(PIP_INSTALL) --group test
	touch $(READY)

$(LINTERS): $(READY)
	$(PIP_INSTALL) --group lint
	touch $(LINTERS)

$(SITE_MAKER): $(READY)
	$(PIP_INSTALL) --group docs
	touch $(SITE_MAKER)

demo: $(INSTALLED) ## an outgoing call at the contact centre, on this terminal
	$(BIN)/antiphon demo

test: $(READY) ## all tests but the slow and the deep ones, in little more than a minute
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-slow: $(READY) ## the tests that take seconds each: browsers, killed processes, failures as they look
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup -m slow

test-deep: $(READY) ## all tests, and the promises of waiting over 12,000 random orders of arrival
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --hypothesis-profile=deep

real: $(READY) .real/node_modules/.installed .real/jupyter/.installed ## conversations with servers and clients that others wrote; installs what it needs in .real
	@(command -v redis-server && command -v mosquitto && command -v rabbitmq-server) >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server mosquitto rabbitmq-server)
	$(BIN)/python -m pytest -m slow tests/real

.real/node_modules/.installed: tests/real/package.json
	mkdir -p .real && cp $< .real/
	npm install --prefix .real --ignore-scripts --no-audit --no-fund
	touch $@

.real/jupyter/.installed:
	$(PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet 'jupyter_server>=2' 'ipykernel>=6' && touch $@

coverage: $(READY) ## which branches `make test` reaches, in its processes too; fails below the floors
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet
	$(BIN)/python .ci/coverage_floors.py .coverage.json

lint: types ## ruff format, ruff check, the spelling, and `make types`
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell *.md docs examples src manual .ci Makefile pyproject.toml mkdocs.yml llms.txt

types: $(LINTERS) ## mypy --strict over src and what authors write, the pages' code too; pyright over the latter, as editors see it
	$(BIN)/mypy
	$(BIN)/mypy --config-file= --strict examples/new_project # apart: its calls.py is another one
	$(BIN)/python -m manual.code .manual/code
	MYPYPATH=examples/contact_centre:examples/own_dialect $(BIN)/mypy --config-file= --strict $(AS_PAGES_WRITE) .manual/code
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pyright --pythonpath $(BIN)/python --project examples/new_project
	$(BIN)/pyright --pythonpath $(BIN)/python .manual/code

format: $(LINTERS) ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(SITE_MAKER) ## the site, in site/: open site/index.html
	$(BIN)/python -m manual
	$(BIN)/zensical build --strict --clean
	$(BIN)/python -m manual.check

picture: $(READY) ## the README's picture anew: docs/trace.png, of a run; needs chromium
	$(BIN)/python -m manual.picture

wheel: $(READY) ## build dist/, and try the wheel in a fresh environment without extras
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	.ci/try_wheel $(BIN)/python dist/*.whl

bench: $(READY) ## what a round trip, a conversation and a load cost, beside bare picows and hand-written websockets
	$(BIN)/python -m bench

clean: ## remove what these commands have made
	rm -rf .venv .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* dist runs .bench .manual .cache site
