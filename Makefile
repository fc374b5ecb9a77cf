# The first python3.12 or python3.11 that runs (a version manager's shim may not).
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_MULTIPLIER ?= 50
DEMO_ROUNDS ?= 3

.PHONY: demo test test-slow bench lint format expected-manifests lock clean

demo: $(READY)
	$(BIN)/fluidbench compare --multiplier $(DEMO_MULTIPLIER) --rounds $(DEMO_ROUNDS)

test: $(READY)
	$(BIN)/python -m pytest -m "not slow and not benchmark" --cov --cov-report=term-missing:skip-covered

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

bench: $(READY)
	$(BIN)/python -m pytest -m benchmark -s -q --no-header --timeout 3600

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy fluidbench steps
	$(BIN)/lint-imports
	$(BIN)/python tests/sizes.py

# Writes what the manifests look like now; read the difference before you commit it.
expected-manifests: $(READY)
	$(BIN)/python tests/render/cases.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One file for all supported Pythons and platforms; needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra dev \
		-q -o requirements.txt pyproject.toml

$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "FluidBench's local target needs python3.12 or python3.11; set PYTHON=/path/to/it." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
