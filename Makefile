# Everything runs in .venv and node_modules; nothing is installed outside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
ENV ?= dev
VENV := .venv
BIN := $(VENV)/bin
CDK := npx --no-install cdk
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CONNECT_BRIDGES_CACHE ?= $(CURDIR)/.cache/bundles
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/.installed: requirements.txt requirements-dev.txt pyproject.toml $(wildcard packages/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "connect-bridges needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed node_modules/.installed ## install what the project needs into .venv and node_modules

.PHONY: demo
demo: setup ## deploy to the local sandbox, place calls, show what happened
	$(BIN)/python -m rehearsals demo

.PHONY: test
test: setup lint ## lint, types, and every test
	@# Tests keep one core busy; types are checked on another, and told at the end.
	@mkdir -p build
	@$(MAKE) --no-print-directory types >build/types.log 2>&1 & types=$$!; \
	status=0; $(BIN)/python -m pytest || status=$$?; \
	wait $$types || status=$$?; \
	cat build/types.log; exit $$status

.PHONY: soak
soak: setup ## 1,000 chats through a webhook that fails: is every message accounted for? (minutes)
	$(BIN)/python -m pytest tests/soak -s

.PHONY: bench
bench: setup ## measure what the project costs: build/bench/report.json, docs/performance.md (minutes)
	$(BIN)/python -m bench

.PHONY: check
check: setup lint types ## lint, types and the fast tests
	$(BIN)/python -m pytest tests/flows tests/unit --ignore tests/unit/runtime

.PHONY: lint
lint: setup ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: setup ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: setup ## mypy, strict
	$(BIN)/mypy
	$(BIN)/pyright

.PHONY: synth
synth: setup ## synthesize ENV (default dev)
	$(CDK) synth -c env=$(ENV) --quiet

.PHONY: diff
diff: setup ## compare ENV with what is deployed
	$(CDK) diff -c env=$(ENV)

.PHONY: preflight
preflight: setup ## check in the AWS account what CloudFormation cannot see, before and after ENV is deployed
	$(BIN)/python -m stacks.preflight $(ENV)

.PHONY: deploy
deploy: setup ## deploy ENV to the AWS account of your credentials
	$(CDK) deploy -c env=$(ENV) --all

.PHONY: erase-caller
erase-caller: setup ## forget a caller of ENV's voice biometrics: NUMBER=+1…, or - for standard input
	@test -n "$${NUMBER:-}" || { echo 'NUMBER is missing: make erase-caller ENV=$(ENV) NUMBER=+12065550100, or NUMBER=- to read it from standard input' >&2; exit 2; }
	@$(BIN)/python -m stacks.erase_caller "$(ENV)" "$$NUMBER"

.PHONY: clean
clean: ## remove what was built (.venv and node_modules stay)
	rm -rf build dist .cache cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
