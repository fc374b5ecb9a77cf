# The first python3.12 or python3.11 that runs (a version manager's shim may not).
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_MULTIPLIER ?= 100
DEMO_ROUNDS ?= 4
# what the storage of the published case allowed: about that of a NAS
DEMO_BANDWIDTH ?= 300MB/s

# The step image, in the published words: REGISTRY=example.org/team CLUSTER=fluidbench BASE_IMAGE= INDEX_URL= PLATFORM=
REGISTRY ?=
CLUSTER ?= fluidbench
STEPS := prepare-data preprocess-data train-data test-data
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' fluidbench/__init__.py)
STEP_IMAGE := $(if $(REGISTRY),$(REGISTRY)/)fluidbench-steps:$(VERSION)
STEP_IMAGES := $(STEP_IMAGE) $(if $(REGISTRY),$(STEPS:%=$(REGISTRY)/%))
# by this label `fluidbench up` finds that the image holds what it would build
CONTENT = from fluidbench.targets.cluster.bringup import step_image; print(step_image.content_digest())

.PHONY: demo test test-slow test-e2e bench bench-long lint format expected-manifests lock clean docker-build load-images push-images

demo: $(READY)
	$(BIN)/fluidbench compare --multiplier $(DEMO_MULTIPLIER) --rounds $(DEMO_ROUNDS)
	$(BIN)/fluidbench compare --multiplier $(DEMO_MULTIPLIER) --rounds $(DEMO_ROUNDS) --storage-bandwidth $(DEMO_BANDWIDTH)

test: $(READY)
	$(BIN)/python -m pytest -m "not slow and not benchmark and not e2e" --cov --cov-report=term-missing:skip-covered

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

# On the cluster of FLUIDBENCH_E2E_KUBECONFIG, or on a kind cluster of its own; see tests/e2e/conftest.py.
test-e2e: $(READY)
	$(BIN)/python -m pytest -m e2e -v tests/e2e

bench: $(READY)
	$(BIN)/python -m pytest -m "benchmark and not long" -s -q --no-header --timeout 3600

bench-long: $(READY)
	$(BIN)/python -m pytest -m "benchmark and long" -s -q --no-header --timeout 7200

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

# The lock is whole, so nothing is looked for beside it: pip would take the newest version for a requirement with an
# extra, find that it is not the locked one, and give up.
$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "FluidBench's local target needs python3.12 or python3.11; set PYTHON=/path/to/it." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	touch $@

docker-build: $(READY)
	docker build --tag $(STEP_IMAGE) --label io.fluidbench.content=$$($(BIN)/python -c "$(CONTENT)") \
		$(if $(PLATFORM),--platform $(PLATFORM)) $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) \
		$(if $(INDEX_URL),--build-arg INDEX_URL=$(INDEX_URL)) $(BUILD_OPTIONS) .
	$(if $(REGISTRY),$(foreach step,$(STEPS),docker tag $(STEP_IMAGE) $(REGISTRY)/$(step) &&) true)

load-images:
	kind load docker-image --name $(CLUSTER) $(STEP_IMAGES)

push-images:
	@test -n "$(REGISTRY)" || { echo "Say where to: make push-images REGISTRY=example.org/team" >&2; exit 2; }
	$(foreach image,$(STEP_IMAGES),docker push $(image) &&) true

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
