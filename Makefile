# `make` alone prints the targets. PYTHON=/path/to/python3.12 names another Python for the virtual environment.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# A test that hangs says where and ends its process. It is begun once again, by another.
BOUNDED := -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done)
HAS_PYTHON := $(shell $(or $(PYTHON),false) -c '$(NEW_ENOUGH)' 2>/dev/null && echo yes)

.PHONY: help install demo test deep-test servers-test terraform-test notebooks notebooks-test lint types bench soak lock package package-test third-party clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: environment ## make .venv with all pinned packages and .venv/bin/headrace, and make its starts quick
	@$(BIN)/python scripts/install.py --archive

# What every other target needs. The class archive is left out: it takes a minute and pays only after a few starts.
.PHONY: environment
environment:
ifneq ($(HAS_PYTHON),yes)
	@echo "make install: failed. Headrace needs Python 3.11 or newer; found $$($(or $(PYTHON),python3) --version 2>/dev/null || echo none). \
	Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1
else
	@$(PYTHON) scripts/install.py
endif

demo: environment ## the travel example: tables, an index, people, measures, and an answer that follows a cancelled flight
	@$(BIN)/headrace demo

SLOWEST := --durations=30 --durations-min=5
# Terraform waits for the emulator most of the time.
SIDE_BY_SIDE := -n 3 --dist loadfile

# Two processes, each with its own Spark: a small batch is planned by one thread, so one process leaves a core idle.
LOCAL := tests $(patsubst %,--ignore=tests/%,servers soak package terraform notebooks) -n 2 --dist loadfile --no-loadscope-reorder $(SLOWEST)

test: environment ## tests that need no server (about 20 minutes on two cores)
	@$(PYTEST) $(BOUNDED) $(LOCAL) --max-worker-restart=1 -m "not soak and not deep" $(ARGS) \
	&& echo "make test: passed" || { echo "make test: FAILED" >&2; exit 1; }

deep-test: environment ## the longer stories: crashes, late events, restarts, upgrades (about 8 minutes)
	@$(PYTEST) $(BOUNDED) $(LOCAL) --max-worker-restart=1 -m "deep and not soak" $(ARGS) \
	&& echo "make deep-test: passed" || { echo "make deep-test: FAILED" >&2; exit 1; }

servers-test: environment ## tests against real Kafka, Debezium and PostgreSQL, started from packages
	@$(PYTEST) $(BOUNDED) tests/servers -m "not soak" $(SLOWEST) $(ARGS) \
	&& echo "make servers-test: passed" || { echo "make servers-test: FAILED" >&2; exit 1; }

package: environment ## dist/: the wheel, and the bundle of wheels for AWS Glue
	@$(BIN)/python scripts/package.py $(ARGS)

package-test: package ## run every job from that bundle, in Python 3.13 with what AWS Glue 6.0 brings
	@$(PYTEST) tests/package $(SLOWEST) $(ARGS) \
	&& echo "make package-test: passed" || { echo "make package-test: FAILED" >&2; exit 1; }

terraform-test: package ## Terraform: checked, and applied to an emulated AWS (about 6 minutes; needs terraform 1.11)
	@command -v terraform >/dev/null || { echo "make terraform-test: FAILED. It needs Terraform 1.11 or newer in the PATH; \
	make test does not." >&2; exit 1; }
	@$(BIN)/python scripts/install.py --tools emulators checkov && $(PYTEST) tests/terraform $(SIDE_BY_SIDE) -m "not soak" $(SLOWEST) -raP $(ARGS) \
	&& echo "make terraform-test: passed" || { echo "make terraform-test: FAILED" >&2; exit 1; }

notebooks: environment ## write notebooks/*.ipynb again, without outputs, from the .py beside them
	@$(BIN)/python scripts/install.py --tools notebooks && .venv/notebooks/bin/python scripts/notebooks.py

notebooks-test: environment ## run every notebook from top to bottom (about 6 minutes)
	@$(BIN)/python scripts/install.py --tools notebooks && .venv/notebooks/bin/python -m pytest tests/notebooks $(SLOWEST) -raP $(ARGS) \
	&& echo "make notebooks-test: passed" || { echo "make notebooks-test: FAILED" >&2; exit 1; }

lint: environment ## style, formatting and the import rule
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: environment ## mypy, strict on lib/
	@$(BIN)/mypy

bench: environment ## speed against the textbook recipe and a plain append (up to an hour)
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file $(ARGS); done

soak: environment ## large counts, kills, mutants; by hand, for hours
	@export HYPOTHESIS_PROFILE=soak; $(PYTEST) tests/soak tests/properties tests/chaos $(ARGS) \
	&& $(PYTEST) tests/unit tests/servers tests/terraform -m soak $(ARGS)

# All extras but `emulators`, which has a lock and an environment of its own, as the tools beside it have.
EXTRAS := local read kafka avro documentdb knowledge static minilm mlflow neptune opensearch pgvector profiles prometheus sentiment serve training dev servers
COMPILE := -q --strip-extras --allow-unsafe --unsafe-package pip --no-header --no-emit-index-url --no-emit-trusted-host \
	--no-emit-find-links --no-emit-options --annotation-style line

lock: environment ## write requirements.lock again from setup.py (with the oldest Python supported)
	@$(BIN)/python -m venv .venv/lock && .venv/lock/bin/pip install -q pip-tools
	@.venv/lock/bin/pip-compile $(COMPILE) $(EXTRAS:%=--extra=%) -o requirements.lock setup.py
	@.venv/lock/bin/pip-compile $(COMPILE) --extra=emulators -c requirements.lock -o requirements-emulators.lock setup.py
	@echo checkov==3.3.30 | .venv/lock/bin/pip-compile $(COMPILE) -o requirements-checkov.lock -
	@printf '%s\n' ipykernel jupytext matplotlib nbclient | \
	.venv/lock/bin/pip-compile $(COMPILE) -c requirements.lock -o requirements-notebooks.lock -

third-party: environment ## write THIRD_PARTY.md again from what is installed and fetched
	@$(BIN)/python scripts/third_party.py > .venv/third_party.md && mv .venv/third_party.md THIRD_PARTY.md

clean: ## remove .venv and every cache inside the project
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache lib/*.egg-info
	@find lib tests -name __pycache__ -type d -prune -exec rm -rf {} +
