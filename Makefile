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

PIP := -m pip install --quiet --disable-pip-version-check

$(VENV)/.installed: requirements-dev.txt requirements-local.txt pyproject.toml $(wildcard packages/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "connect-bridges needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	@# With dependencies, which come first: two packages bring aws_cdk.cloud_assembly_schema, and aws-cdk-lib's must stay.
	$(BIN)/python $(PIP) --require-hashes -r requirements-dev.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation -r requirements-local.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

build/tools/.installed: requirements-tools.txt
	$(PYTHON) -m venv --clear build/tools
	build/tools/bin/python $(PIP) --require-hashes -r requirements-tools.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed node_modules/.installed ## install what the project needs into .venv and node_modules

.PHONY: demo
demo: setup ## deploy to the local sandbox, place calls, show what happened
	$(BIN)/python -m rehearsals demo

.PHONY: rehearse
rehearse: setup ## the demo with every scenario; build/rehearse/ gets report.html, report.json and run.jsonl
	$(BIN)/python -m rehearsals rehearse

WORKERS ?= 2
.PHONY: test
test: setup lint ## lint, types, and every test
	@# Types first, for both take all cores; pytest's closing line is the last.
	@status=0; $(MAKE) --no-print-directory types || status=$$?; \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) || status=$$?; exit $$status

.PHONY: knowledge
knowledge: setup ## rebuild the linter's knowledge of the flow language from its facts
	$(BIN)/python packages/connect-flows/tools/build_knowledge.py

.PHONY: rules
rules: setup ## write docs/flow-rules.md from the linter's rules
	@mkdir -p build
	$(BIN)/python packages/connect-flows/tools/build_rules_page.py >build/flow-rules.md
	mv build/flow-rules.md docs/flow-rules.md

.PHONY: handoff-sample
handoff-sample: setup ## write the sample pages in docs/handoff; RECORD=1 deploys to the sandbox for them
	$(BIN)/python -m tests.support.handoff $(if $(RECORD),--record)

.PHONY: testcases
testcases: setup ## write docs/testcases.md: which scenarios Amazon Connect's own testing can say
	$(BIN)/python -m tests.support.two_runners

.PHONY: pictures
pictures: setup ## draw the sandbox's page in docs/pictures anew, in a real browser
	$(BIN)/python -m tests.support.page_pictures

.PHONY: evidence
evidence: setup ## write docs/evidence.md from constructs/connect_bridges/operations/evidence.toml
	@mkdir -p build
	$(BIN)/python -m connect_bridges.operations.evidence >build/evidence.md
	mv build/evidence.md docs/evidence.md

.PHONY: limits
limits: setup ## write docs/limits.md from constructs/connect_bridges/operations/doctor/limits.toml
	@mkdir -p build
	$(BIN)/python -c 'from connect_bridges.operations.doctor.limits import page; print(page(), end="")' >build/limits.md
	mv build/limits.md docs/limits.md

.PHONY: faults
faults: setup ## every call of every function times every way to fail (minutes; make test plays a twentieth)
	FAULTS=all $(BIN)/python -m pytest tests/faults -s

.PHONY: recovery
recovery: setup ## every resource of four stacks fails once in a first deployment (minutes; make test plays a part)
	RECOVERY=all $(BIN)/python -m pytest tests/recovery -s

.PHONY: soak
soak: setup ## 50,000 hostile requests, 10,000 chat messages, 1,000 calls at once: what must not happen? SCALE=1
	SOAK_SCALE=$(or $(SCALE),1) $(BIN)/python -m pytest tests/soak -s

.PHONY: fidelity
fidelity: setup ## ask the sandbox what others asked AWS, and count the same answers; AREA=iam
	$(BIN)/python -m tests.sandbox.fidelity $(AREA)

MINUTES ?= 5
TESTS ?= tests
.PHONY: fuzz
fuzz: setup ## draw new examples for the random tests: MINUTES=5 TESTS=tests/flows SEED=1
	$(BIN)/python -m tests.support.fuzz --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(TESTS)

SAMPLE ?= 25
.PHONY: mutants
mutants: setup ## do the tests notice wrong code? PACKAGE=runtime.metadata SAMPLE=25 (0: all) MINUTES=30
	$(BIN)/python -m tests.mutation $(if $(PACKAGE),--package $(PACKAGE)) --sample $(SAMPLE) \
		--minutes $(if $(filter command line environment,$(origin MINUTES)),$(MINUTES),30)

.PHONY: bench
bench: setup ## measure what the project costs: build/bench/report.json, docs/performance.md (minutes)
	$(BIN)/python -m bench

.PHONY: oldest
oldest: setup ## synthesize every construct with the oldest aws-cdk-lib that pyproject.toml allows
	$(BIN)/python -m tests.oldest

LOCK := build/tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--no-emit-index-url --custom-compile-command "make lock (uv pip compile --universal --python-version 3.11)"
.PHONY: lock
lock: build/tools/.installed ## lock what requirements*.in name, with hashes; UPGRADE=1 takes newer versions of what they need
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements-dev.in -o requirements-dev.txt
	$(LOCK) --constraint requirements-dev.txt requirements.in -o requirements.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements-tools.in -o requirements-tools.txt

.PHONY: audit
audit: setup build/tools/.installed ## known advisories for what is locked; exit 1: some, 2: no data; ADVISORIES=folder of OSV records
	@$(BIN)/python -m tests.supply.audit $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

.PHONY: sbom
sbom: setup ## a CycloneDX bill of materials for each wheel and function bundle, in build/sbom
	@$(BIN)/python -m tests.supply.sbom

.PHONY: check
check: setup lint types ## lint, types and the fast tests
	$(BIN)/python -m pytest tests/flows tests/unit --ignore tests/unit/runtime --numprocesses $(WORKERS)

.PHONY: lint
lint: setup ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: setup ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: setup ## mypy, strict, and pyright
	@mkdir -p build
	@$(BIN)/pyright >build/pyright.log 2>&1 & pyright=$$!; status=0; \
	$(BIN)/mypy || status=$$?; wait $$pyright || status=$$?; \
	cat build/pyright.log; exit $$status

.PHONY: synth
synth: setup ## synthesize ENV (default dev)
	$(CDK) synth -c env=$(ENV) --quiet

.PHONY: diff
diff: setup ## compare ENV with what is deployed
	$(CDK) diff -c env=$(ENV)

.PHONY: doctor
doctor: setup ## what the AWS account lacks for ENV, before and after it is deployed; exact next steps
	@mkdir -p build/doctor
	@$(CDK) synth -c env=$(ENV) --quiet --output build/doctor/$(ENV) >build/doctor/$(ENV).log 2>&1 || { cat build/doctor/$(ENV).log >&2; exit 2; }
	@$(BIN)/connect-bridges doctor --app build/doctor/$(ENV)

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
