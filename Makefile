# Everything a contributor types. The first call makes a virtual environment in the checkout and
# installs the locked dependencies into it; later calls find it there.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test check fmt bench browser up lock clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@echo "Setting up .venv with the locked dependencies (once; a few minutes) ..."
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup          ## a model's whole life on real flights, in about three minutes
	$(BIN)/trivet --home .trivet-demo demo flights $(ARGS)

test: setup          ## every test; those that need a service say so when it is not there
	$(BIN)/python -m pytest -n 2 --dist worksteal tests --ignore tests/browser
	$(BIN)/python -m pytest -n 2 tests/browser

check: setup         ## lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases tests benchmarks
	$(BIN)/lint-imports

fmt: setup           ## put the code in order, and the reference of the command line
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/cli_reference.py

bench: setup         ## measure every figure that is claimed
	$(BIN)/python -m benchmarks

browser: setup       ## only the journeys in a real browser
	$(BIN)/python -m pytest -n 2 tests/browser

up: setup            ## server with UI, controller and gateway on 127.0.0.1
	$(BIN)/trivet up

lock: setup          ## resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --universal --all-extras --group dev pyproject.toml -o requirements.lock

clean:               ## remove what the targets above made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
