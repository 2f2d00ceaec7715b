# Every task, in the order of the path of an event. `make` alone lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help install run fresh broker ingest simulate import train gateway test unit e2e first-run test-faults lint format types contracts mutants lock reference clean

help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Everything at once
run: $(READY) ## Start all services and show a tour (ARGS=--tour-only ends after it)
	$(BIN)/sojae up $(ARGS)

test: $(READY) ## Lint, and every test but the long suites
	$(MAKE) --no-print-directory lint unit
	$(BIN)/python -m pytest tests/integration tests/e2e tests/faults $(ARGS)

install: $(READY) ## Make the environment (uv when it is there, else venv and pip)

fresh: $(READY) ## Forget the state of this checkout: broker, store, index, logs
	$(BIN)/sojae fresh $(ARGS)

##@ The path of an event, one service at a time
broker: $(READY) ## Kafka for development
	$(BIN)/sojae broker $(ARGS)

simulate: $(READY) ## 1. Institutes and instruments send events
	$(BIN)/sojae simulate $(ARGS)

import: $(READY) ## 1. Send a spreadsheet (ARGS="FILE --mapping MAP.toml")
	$(BIN)/sojae import $(ARGS)

ingest: $(READY) ## 3. Events are checked and stored
	$(BIN)/sojae ingest $(ARGS)

train: $(READY) ## 4. Models from the store
	$(BIN)/sojae train $(ARGS)

gateway: $(READY) ## 5. HTTP
	$(BIN)/sojae gateway $(ARGS)

##@ Quality
lint: $(READY) ## Style, types, import contracts
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

format: $(READY) ## Mend style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

unit: $(READY) ## The fast tests
	$(BIN)/python -m pytest tests/unit tests/contract -n 2 --dist loadscope -q $(ARGS)

e2e: $(READY) ## The path of one event, through real processes
	$(BIN)/python -m pytest tests/e2e $(ARGS)

first-run: $(READY) ## Two published files imported, learnt from and predicted (ARGS="--data FOLDER")
	$(BIN)/python -m tests.e2e.real_run $(ARGS)

test-faults: $(READY) ## The long fault suite
	$(BIN)/python -m pytest -m faults tests/faults $(ARGS)

mutants: $(READY) ## One-line edits of the heart, each of which a test must notice
	$(BIN)/python tests/mutants.py $(ARGS)

reference: $(READY) ## Write the generated pages of docs/reference
	$(BIN)/python -m sojae.cli.reference

lock: ## Pin the dependencies anew
	uv pip compile --universal --generate-hashes --no-emit-index-url --all-extras --no-header pyproject.toml -o requirements.lock

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@
