# The suite's few commands. PYTHON chooses the interpreter that .venv is made with.
PYTHON ?= python3
PYTEST_FLAGS ?=
BIN := .venv/bin
DEMO := .venv/.demo-installed
DEV := .venv/.dev-installed
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help demo test check lint notebook cluster images release clean

help: ## says what there is
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

demo: $(DEMO) ## trains the paper's 13 ensembles on digits into ./store and reports on them
	$(BIN)/python -m k8s.launch --grid demo --executor local --store store

test: $(DEV) ## runs every test that this machine can run, and says which it cannot
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

# Clusters and containers want the machine for themselves. The floor is pyproject's fail_under, held for the sum of both parts.
COVER := --cov --cov-report= --cov-fail-under=0
check: lint ## what CI runs: ruff, its formatter, mypy, actionlint, pytest, and coverage with its floor
	$(BIN)/python -m pytest $(COVER) -m "not cluster and not e2e" -n 2 --dist loadfile $(PYTEST_FLAGS)
	$(BIN)/python -m pytest $(COVER) --cov-append -m "cluster or e2e" $(PYTEST_FLAGS)
	$(BIN)/coverage report

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v actionlint >/dev/null; then actionlint; else echo "no actionlint here: .github/workflows is not checked"; fi

notebook: $(DEV) ## trains the ten small ensembles of docs/results.ipynb into ./store and runs it on them
	$(BIN)/python -m docs.notebook

cluster: ## builds the test cluster's programs and the S3 server from source (Go 1.25 or later, 15 minutes on 2 cores)
	bash tests/cluster/build.sh

images: ## builds the container images with docker, podman or buildah
	bash docker/build.sh

release: ## tags the version in pyproject.toml, if CHANGELOG.md has its dated section and nothing is uncommitted
	@bash .ci/release

clean: ## removes the environment and what tests leave; never a store
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1); allowed: Python 3.11 or later; name one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv .venv

$(DEMO): requirements/demo.txt | .venv/bin/python
	@echo "installing requirements/demo.txt into .venv (once)"
	$(INSTALL) -r $<
	@touch $@

# The same versions and more: what is installed for the tests serves the demo too.
$(DEV): requirements/dev.txt | .venv/bin/python
	@echo "installing requirements/dev.txt into .venv (once)"
	$(INSTALL) -r $<
	@touch $@ $(DEMO)
