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

# The parts of check, each with coverage of its own. The floor is pyproject's fail_under, held for their sum.
# The simulated and the real cluster wait for their servers a good part of the time, so these two run side by side.
COVER = COVERAGE_FILE=.coverage.$(1) $(BIN)/python -m pytest --cov --cov-report= --cov-fail-under=0
.PHONY: check-units check-clusters check-simulated check-real

check: lint ## what CI runs: ruff, its formatter, mypy, actionlint, pytest, and coverage with its floor
	@$(MAKE) --keep-going check-units check-clusters
	$(BIN)/coverage combine --quiet .coverage.units .coverage.simulated .coverage.real
	$(BIN)/coverage report

check-units: $(DEV)
	$(call COVER,units) -m "not cluster and not e2e" -n 2 --dist loadfile $(PYTEST_FLAGS)

check-clusters: $(DEV)
	@$(MAKE) --keep-going --jobs=2 --output-sync=target check-simulated check-real

check-simulated:
	$(call COVER,simulated) -m cluster $(PYTEST_FLAGS)

check-real:
	$(call COVER,real) -m e2e $(PYTEST_FLAGS)

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
