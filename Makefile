# Every task, in the order of the path of an event. `make` alone lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help install run fresh broker ingest simulate import train gateway test unit e2e datasets workbook-round-trip first-run test-faults lint format types contracts mutants bench-monitor bench-templates lock reference chart chart-schema image-wheel image-venv image-folders image-check clean

help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Everything at once
run: $(READY) ## Start all services and show a tour (ARGS=--tour-only ends after it)
	$(BIN)/sojae up $(ARGS)

test: $(READY) ## Lint, and every test but the long suites
	$(MAKE) --no-print-directory lint unit
	$(BIN)/python -m pytest tests/integration tests/e2e tests/faults -n 2 --dist loadfile $(ARGS)

install: $(READY) ## Make the environment (uv when it is there, else venv and pip)

fresh: $(READY) ## Forget the state of this checkout: broker, store, models, logs; asks first (ARGS=--yes does not)
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

datasets: $(READY) ## Every published data set read and checked as a whole; writes docs/reference/datasets.md
	$(BIN)/python -m tests.datasets.page $(ARGS)

workbook-round-trip: $(READY) ## 10,000 rows in a workbook: in, back with errors, mended, corrected
	WORKBOOK_SPECIMENS=2800 $(BIN)/python -m pytest -q -s tests/integration/test_workbook_round_trip.py $(ARGS)

first-run: $(READY) ## Two published files imported, learnt from and predicted (ARGS="--data FOLDER")
	$(BIN)/python -m tests.e2e.real_run $(ARGS)

test-faults: $(READY) ## The long fault suite
	$(BIN)/python -m pytest -m faults tests/faults $(ARGS)

mutants: $(READY) ## One-line edits of the heart, each of which a test must notice
	$(BIN)/python tests/mutants.py $(ARGS)

bench-monitor: $(READY) ## Samples per CPU second of the monitor, against a plain Faust agent
	$(BIN)/python -m tests.bench.monitor $(ARGS)

bench-templates: $(READY) ## Records checked per CPU second with all rules of the widest template; seconds to load all templates
	POLARS_MAX_THREADS=1 $(BIN)/python -m tests.bench.templates $(ARGS)

reference: $(READY) ## Write the generated pages of docs/reference, and the chart's schema
	$(BIN)/python -m sojae.cli.reference
	$(BIN)/python -m sojae.cli.chart_schema

lock: ## Pin the dependencies anew
	uv pip compile --universal --generate-hashes --no-emit-index-url --all-extras --no-header pyproject.toml -o requirements.lock

##@ Deployment
IMAGE       := build/image
IMAGE_VENV  ?= $(IMAGE)/venv
IMAGE_FILES := Makefile pyproject.toml requirements.lock README.md LICENSE services schemas

chart: $(READY) ## The Helm chart: lint, render, validate (HELM=PATH takes that helm)
	$(BIN)/python -m tests.contract.chart
	$(BIN)/python -m pytest -q tests/contract/test_chart*.py $(ARGS)

chart-schema: $(READY) ## Write charts/sojae/values.schema.json
	$(BIN)/python -m sojae.cli.chart_schema

image-wheel: ## The wheel, as in the Dockerfile
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(IMAGE) .

image-venv: ## The wheel and what it needs: hashes checked, nothing compiled
	$(PYTHON) services/sojae/cli/image_requirements.py pyproject.toml requirements.lock > $(IMAGE)/requirements.txt
	$(PYTHON) -m venv --clear --without-pip $(IMAGE_VENV)
	$(PYTHON) -m pip --python $(IMAGE_VENV) install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(IMAGE)/requirements.txt
	$(PYTHON) -m pip --python $(IMAGE_VENV) install --quiet --disable-pip-version-check --no-deps $(IMAGE)/sojae-*.whl

image-folders: ## Where volumes are mounted
	mkdir -p $(IMAGE)/folders/state $(IMAGE)/folders/store

image-check: ## All steps of the Dockerfile in a copy of its files, and the image's programs started
	rm -rf $(IMAGE)/src && mkdir -p $(IMAGE)/src && cp -r $(IMAGE_FILES) $(IMAGE)/src/
	$(MAKE) --no-print-directory -C $(IMAGE)/src image-wheel image-venv image-folders
	$(PYTHON) tests/image_start.py $(IMAGE)/src/$(IMAGE)/venv

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# An environment that another Python made, or an older one, is made anew: packages of both would lie side by side.
VERSION := import sys; print("%d.%d.%d" % sys.version_info[:3])
NEEDED  := Python ≥ 3.11 is needed (Python 3.11 이상이 필요합니다)
REMEDY  := install it, or: make PYTHON=python3.12 run

$(READY): requirements.lock pyproject.toml
	@found=$$($(PYTHON) -c '$(VERSION)' 2>/dev/null); \
	case "$$found" in \
	  3.1[1-9].*|3.[2-9][0-9].*) ;; \
	  "") echo "$(NEEDED), and $(PYTHON) does not start; $(REMEDY)" >&2; exit 1 ;; \
	  *) echo "$(NEEDED), $(PYTHON) is $$found; $(REMEDY)" >&2; exit 1 ;; \
	esac; \
	old=$$($(BIN)/python -c '$(VERSION)' 2>/dev/null); \
	if [ -e $(VENV)/pyvenv.cfg ] && [ "$${old%.*}" != "$${found%.*}" ]; then \
	  echo "$(VENV) is of Python $${old:-that is gone}: it is made anew"; rm -rf $(VENV); \
	fi; \
	echo "making $(VENV) with Python $$found: about 1.5 GB, some minutes (환경을 만듭니다: 약 1.5 GB, 몇 분)"; \
	if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@
