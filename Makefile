# The only door: `make help` says what there is.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev assets demo reset test check bench soak lock clean

PORT ?= 8000
# 1 is 740,000 inhabitants; 0 is the stories alone.
SCALE ?= 0.002
# Tests mostly wait, for PostgreSQL and Chromium: two at a time take half as long.
PROCESSES ?= 2
DATA ?= $(or $(HELSEVEV_DATA),$(CURDIR)/data)
# For the demo alone: tests never see anybody's data.
demo: export PORT := $(PORT)
demo reset: export HELSEVEV_DATA := $(DATA)

# The first Python that is new enough. Looked for only when the venv is made.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

# Relative, so that no target and no recipe breaks in a folder whose path has spaces.
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
PIP_INSTALL := $(PIP) install --require-hashes

help: ## say what there is
	@echo 'make TARGET [PORT=8000] [DATA=folder] [SCALE=0.002]'
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

.venv/made:
	@sh tools/make_venv.sh "$(PYTHON)"
	@touch $@

.venv/runtime: .venv/made requirements.lock pyproject.toml
	@echo 'Installing the locked dependencies ...'
	@$(PIP_INSTALL) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/runtime requirements-dev.lock
	@echo 'Installing what tests and checks need ...'
	@$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@

# Node builds the screens' assets. A machine that has none, or an old one, gets PyPI's.
.venv/node: .venv/runtime requirements-node.lock
	@sh tools/has_node.sh || { echo 'Installing Node ...'; $(PIP_INSTALL) -r requirements-node.lock; }
	@touch $@

.venv/browser: .venv/dev
	@sh tools/get_chromium.sh
	@touch $@

setup: .venv/runtime ## install what the program needs into .venv

setup-dev: .venv/dev ## install what tests and checks need as well

assets: .venv/node ## build what the browser gets (nothing when nothing has changed)
	@$(PY) tools/build_assets.py

demo: assets ## serve a region on http://127.0.0.1:8000 (PORT=, DATA=, SCALE=)
	@exec .venv/bin/helsevev serve --demo --scale $(SCALE)

reset: .venv/runtime ## put the region back as it was first loaded (ARGS=--yes asks nothing)
	@exec .venv/bin/helsevev region reset $(ARGS)

test: .venv/browser assets ## run all tests but the long ones (ARGS= goes to pytest)
	@$(PY) -m pytest --numprocesses $(PROCESSES) --dist loadfile $(ARGS)

check: .venv/dev assets ## check format, lint, types, contracts, licences and known advisories
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy
	@$(PY) tools/build_assets.py --check
	@.venv/bin/lint-imports --no-logo
	@$(PY) tools/audit.py $(if $(STRICT),--strict)

bench: .venv/dev assets ## measure speed and memory; prints JSON
	@$(PY) -m bench $(ARGS)

soak: .venv/dev assets ## run the long tests: kills, load, hours
	@$(PY) -m pytest -m soak $(ARGS)

lock: .venv/made ## write the lock files anew from pyproject.toml
	@sh tools/lock.sh

clean: ## remove all that make has made; the data stays
	rm -rf .venv node_modules src/helsevev/screens/static dist .cache
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
