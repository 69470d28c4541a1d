# Every target sets up what it needs: a virtual environment in .venv, filled by hash from a lock.
# On a machine with python3 (and its venv) and make, `make run` and `make test` just work.

# The first of these that was built with optimisation. pyenv builds without unless it is told to,
# and then everything takes half again as long; what a distribution brings was built with it.
PYTHONS := python3 /usr/bin/python3
PYTHON ?= $(or $(shell for each in $(PYTHONS); do \
	$$each benchmarks/interpreter.py 2>/dev/null && { echo $$each; break; }; done),python3)
VENV ?= .venv
ARGS ?=

# Without byte code each start compiles ccxt anew: seconds, a fifth more memory, slower code.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
RUN := $(VENV)/.ready-to-run
RESEARCH := $(VENV)/.ready-for-research
CLUSTER := $(VENV)/.ready-for-a-cluster
DEV := $(VENV)/.ready-to-develop
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet --quiet
LOCK := CUSTOM_COMPILE_COMMAND="make lock" PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= $(BIN)/pip-compile \
	--quiet --generate-hashes --strip-extras --allow-unsafe --build-deps-for editable \
	--no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
GET_PROMETHEUS := command -v prometheus >/dev/null && command -v prometheus-alertmanager >/dev/null || \
	{ test "$$(id -u)" -eq 0 && command -v apt-get >/dev/null && apt-get -qq update >/dev/null && \
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
	prometheus prometheus-alertmanager >/dev/null; } || true
CODE = $(wildcard daemon tests benchmarks deploy docs)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run research cluster test check format format-check lint contracts types laws faults crash bench \
	check-alerts check-dashboards check-unit check-image check-install \
	coverage audit lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Options go through ARGS: make run ARGS='--for 60s', make test ARGS='-k lifecycle -x'."

run: $(RUN)  ## run the daemon (tickd run); Ctrl-C stops it, and the next run goes on from there
	@$(BIN)/tickd run $(ARGS)

research: $(RESEARCH)  ## add what backtests, searches and reports need

cluster: $(CLUSTER)  ## add what walks and searches on a Dask cluster need

test: $(DEV)  ## run the tests
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not root" $(ARGS)

check: format-check lint contracts types test  ## everything a change must pass

format: $(DEV)  ## put the code into its one format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

format-check: $(DEV)
	@$(BIN)/ruff format --check .

lint: $(DEV)  ## ruff
	@$(BIN)/ruff check .

contracts: $(DEV)  ## who may import whom (import-linter)
	@$(BIN)/lint-imports

types: $(DEV)  ## mypy, strict
	@$(BIN)/mypy $(CODE)

laws: $(DEV)  ## the properties again, with many more examples
	@$(BIN)/python -m pytest tests/laws --hypothesis-profile=laws $(ARGS)

faults: $(DEV)  ## the fault tests that need root and strace
	@$(BIN)/python -m pytest -m root $(ARGS)

crash: $(DEV)  ## kill the daemon at every write to its state and count what was lost
	@$(BIN)/python -m tests.crash $(ARGS)

check-alerts: $(DEV)  ## do every fault to a real daemon until its alert fires in a real Prometheus
	@$(GET_PROMETHEUS)
	@$(BIN)/python -m tests.alerts $(ARGS)

check-dashboards: $(DEV)  ## run every query of the dashboards against a live daemon
	@$(GET_PROMETHEUS)
	@$(BIN)/python -m tests.deploy $(ARGS)

bench: $(DEV)  ## measure what the daemon costs
	@$(BIN)/python -m benchmarks $(ARGS)

check-unit: $(DEV)  ## run the systemd units in a Debian booted for it (root; minutes)
	@$(BIN)/python -m tests.machines.unit

check-image: $(DEV)  ## build the image and run it hardened, without a container engine (root; minutes)
	@$(BIN)/python -m tests.machines.image

check-install: $(DEV)  ## install on a bare Debian as the documentation tells (root; minutes)
	@$(BIN)/python -m tests.machines.install

coverage: $(DEV)  ## run the tests and say which lines none of them reached
	@$(BIN)/coverage run -m pytest -m "not root" $(ARGS)
	@$(BIN)/coverage report --skip-covered --show-missing

audit: $(DEV)  ## ask for known faults of all that the locks name; fails where nobody can look
	@$(BIN)/python -m tests.supply

lock: $(DEV)  ## write all locks anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(LOCK) $(ARGS) --output-file requirements.lock pyproject.toml
	@$(LOCK) $(ARGS) --extra research --output-file requirements-research.lock pyproject.toml
	@$(LOCK) $(ARGS) --extra research --extra cluster \
		--output-file requirements-cluster.lock pyproject.toml
	@$(LOCK) $(ARGS) --extra alerts --output-file requirements-alerts.lock pyproject.toml
	@$(LOCK) $(ARGS) --extra research --extra cluster --extra alerts --extra dev \
		--output-file requirements-dev.lock pyproject.toml

clean:  ## remove the environment and every cache; state in dump/ stays
	@rm -rf $(VENV) build *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/pip:
	@python=$(PYTHON); $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tickd needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }; \
		echo "Making $(VENV) with $$($$python --version) ($$(command -v $$python)) ..."; \
		$$python -m venv $(VENV)

# The build backend comes with the first lock, so that nothing after it is built with tools from
# elsewhere. What a daemon imports is compiled at once, on all cores, which pip would do on one;
# byte code of the rest is left to its first import.
$(RUN): requirements.lock pyproject.toml | $(BIN)/pip
	@echo "Filling $(VENV) from requirements.lock (once; a minute or so) ..."
	@$(PIP) install --no-compile --require-hashes -r requirements.lock
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib daemon
	@touch $@

$(RESEARCH): requirements-research.lock | $(RUN)
	@echo "Adding the libraries of requirements-research.lock (once) ..."
	@$(PIP) install --no-compile --no-build-isolation --require-hashes -r requirements-research.lock
	@touch $@

$(CLUSTER): requirements-cluster.lock | $(RUN)
	@echo "Adding the libraries of requirements-cluster.lock (once) ..."
	@$(PIP) install --no-compile --no-build-isolation --require-hashes -r requirements-cluster.lock
	@touch $@

$(DEV): requirements-dev.lock | $(RUN)
	@echo "Adding the tools of requirements-dev.lock (once) ..."
	@$(PIP) install --no-compile --no-build-isolation --require-hashes -r requirements-dev.lock
	@touch $@
