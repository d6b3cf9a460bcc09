# The only door: `make help` says what there is.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev assets demo test check bench soak lock clean

PORT ?= 8000
DATA ?= $(CURDIR)/data
export PORT
export HELSEVEV_DATA = $(DATA)

# The first Python that is new enough. Looked for only when the venv is made.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

# Relative, so that no target and no recipe breaks in a folder whose path has spaces.
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
PIP_INSTALL := $(PIP) install --require-hashes

help: ## say what there is
	@echo 'make TARGET [PORT=8000] [DATA=folder]'
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

setup: .venv/runtime ## install what the demo needs into .venv

setup-dev: .venv/dev ## install what tests and checks need as well
