# Everything a newcomer, a nightly scheduler and CI run. Needs Python 3.11, make and git; sets up the rest itself.
PYTHON ?= python3.11
VENV := .venv
INSTALLED := $(VENV)/.installed
HOME_FOLDER ?= warehouse
SOURCE ?= complete_journey
RECOVERY_CUSTOMERS ?= 5000
RECOVERY_MONTHS ?= 24
RECOVERY_SEED ?= 1
RECOVERY_FOLDER := $(HOME_FOLDER)_recovery
LINES ?= 1000000
BENCHMARK_FOLDER := $(HOME_FOLDER)_benchmark
# A Markdown file whose section of this size is replaced: INTO=docs/performance.md
INTO ?=

export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Packages come with hashes and are compiled to bytecode once, here, so that no night pays for it.
# Files that the page is made of are unpacked from wheels into a folder of their own: nothing of it is ever imported.
$(INSTALLED): requirements.lock requirements-page.lock pyproject.toml
	@echo "Setting up $(VENV) (once; some minutes without a package cache)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --compile -r requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -rf $(VENV)/page
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile \
		--target $(VENV)/page -r requirements-page.lock
	@touch $@

.PHONY: install
install: $(INSTALLED) ## set up the virtual environment

.PHONY: nightly
nightly: $(INSTALLED) ## run a whole night (SOURCE=complete_journey: real retail data)
	@$(VENV)/bin/segments nightly --source $(SOURCE) --home $(HOME_FOLDER)

.PHONY: ui
ui: $(INSTALLED) ## Dagster on this machine: lineage, runs, checks, partitions
	@$(VENV)/bin/python -m orchestration.automation.user_interface --source $(SOURCE) --home $(HOME_FOLDER)

.PHONY: test
test: $(INSTALLED) ## all tests
	@$(VENV)/bin/python -m pytest -n 2 --dist loadgroup

.PHONY: report
report: $(INSTALLED) ## make the segment explorer page again from what is served
	@$(VENV)/bin/segments report --source $(SOURCE) --home $(HOME_FOLDER)

.PHONY: test-page
test-page: $(INSTALLED) ## the page in a real headless Chromium (installed by .ci/run; here it must be there)
	@CI=true $(VENV)/bin/python -m pytest tests/python/page

.PHONY: test-bi
test-bi: $(INSTALLED) ## Apache Superset, in an environment of its own, on real builds in DuckDB and PostgreSQL (minutes)
	@CI=true $(VENV)/bin/python -m pytest tests/python/bi -m "bi or not bi"

.PHONY: recovery
recovery: $(INSTALLED) ## how often segments find the truth planted in a synthetic retailer
	@rm -rf $(RECOVERY_FOLDER)
	@$(VENV)/bin/segments generate $(RECOVERY_FOLDER)/retailer --customers $(RECOVERY_CUSTOMERS) --months $(RECOVERY_MONTHS) --seed $(RECOVERY_SEED)
	@$(VENV)/bin/segments nightly --source $(RECOVERY_FOLDER)/retailer --home $(RECOVERY_FOLDER)/home
	@$(VENV)/bin/python -m benchmarks.recovery --source $(RECOVERY_FOLDER)/retailer --home $(RECOVERY_FOLDER)/home

.PHONY: benchmark
benchmark: $(INSTALLED) ## what nights cost, beside plain SQL, other engines and the targets (LINES=1000000)
	@$(VENV)/bin/python -m benchmarks.performance --lines $(LINES) --folder $(BENCHMARK_FOLDER) $(if $(INTO),--into $(INTO))

.PHONY: benchmark-prediction
benchmark-prediction: $(INSTALLED) ## what fitting and scoring lifetime value cost, beside the library lifetimes
	@$(VENV)/bin/python -m benchmarks.prediction

.PHONY: benchmark-page
benchmark-page: $(INSTALLED) ## how soon the segment explorer opens at its largest
	@$(VENV)/bin/python -m benchmarks.page

.PHONY: lint
lint: $(INSTALLED) lint-sql ## ruff, mypy, sqlfluff
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

.PHONY: lint-sql
lint-sql: $(INSTALLED) # the dbt templater compiles every model; nothing is read or written
	@SEGMENTS_DATABASE=:memory: $(VENV)/bin/sqlfluff lint --disable-progress-bar models tests/dbt

COMPILE_LOCK := $(VENV)/bin/uv pip compile --python-version 3.11 --universal --generate-hashes --no-header --no-strip-extras \
	--no-annotate --quiet --upgrade

.PHONY: lock
lock: $(INSTALLED) ## resolve the locks of environments again from pyproject.toml (hashes, no addresses)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(COMPILE_LOCK) pyproject.toml --extra demo --extra dev --output-file requirements.lock
	@$(COMPILE_LOCK) --group pyproject.toml:duckdb-1 --output-file requirements-duckdb-1.lock
	@$(COMPILE_LOCK) --group pyproject.toml:superset --output-file requirements-superset.lock
	@$(COMPILE_LOCK) --group pyproject.toml:page --no-deps --output-file requirements-page.lock

.PHONY: clean
clean: ## remove what runs have written, keep the environment
	rm -rf $(HOME_FOLDER) $(RECOVERY_FOLDER) $(BENCHMARK_FOLDER) target logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
