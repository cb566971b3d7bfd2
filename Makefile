# make demo    the main job on a sound that the project makes itself; leaves presets, sounds and a report in out/
# make test    everything that must hold: linters, types, layers, tests
# make docs    the documentation, in out/docs/index.html
# make check   the linters, types and layers alone
#
# Each needs python3 (3.11 or later, with venv) and nothing else; what they install stays in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test docs check references format clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: .venv/.installed
	@$(BIN)/python examples/pluck.py out/pluck.wav
	@$(BIN)/menura match out/pluck.wav --out out/pluck --force

test: check
	@$(BIN)/pytest

docs: .venv/.developing
	@$(BIN)/python docs/make_cli_reference.py
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs out/docs
	@echo "out/docs/index.html"

check: .venv/.developing
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports

# Torch is large: only continuous integration asks for it, and the live comparison is skipped without.
references: .venv/.developing
	@$(PIP) --editable '.[dev,reference]'

format: .venv/.developing
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:
	rm -rf .venv out build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# The stamps make the second time quick: they are newer than pyproject.toml once it is installed.
.venv/.installed: pyproject.toml | .venv/bin/python
	@echo "installing menura into .venv"
	@$(PIP) --editable .
	@touch $@

.venv/.developing: pyproject.toml | .venv/bin/python
	@echo "installing menura and its developers' tools into .venv"
	@$(PIP) --editable '.[dev]'
	@touch .venv/.installed $@

.venv/bin/python:
	@for python in "$${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do \
		if command -v "$$python" >/dev/null && "$$python" -c \
			'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	echo "menura needs Python 3.11 or later with venv: install it (Debian, Ubuntu: apt install python3-venv)," \
		"or name one: make PYTHON=/path/to/python3" >&2; \
	exit 1
