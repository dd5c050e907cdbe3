PYTHON ?= python3
BENCH = .venv/bin/bench

.PHONY: bench test lint reference

.venv/installed: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q -c constraints.txt -e ".[dev]"
	touch $@

bench: .venv/installed
	$(BENCH) run --dataset vwi,vfa --methods all --results runs --compare results
	$(BENCH) report --results runs

test: .venv/installed
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

reference: .venv/installed
	$(BENCH) run --dataset vwi,vfa --methods all --results results
	.venv/bin/python tools/thin.py results
	.venv/bin/python tools/readme.py
