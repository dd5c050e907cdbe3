PYTHON ?= python3
BENCH = .venv/bin/bench
L1 = dl-espirit+rrdb,dl-espirit~rrdb,hr-refined,hr-refined-frozen,hr-unrolled,proposed-l1,ablation-end-to-end-l1,ablation-separate-l1
GAN = proposed,ablation-end-to-end,ablation-separate,dl-espirit+bebygan,dl-espirit~bebygan,hr-refined-gan
SEEDS = dl-espirit+rrdb,dl-espirit~rrdb,hr-refined,proposed-l1,ablation-end-to-end-l1,ablation-separate-l1,$(GAN)
UNTRAINED = cg-sense+sinc,cg-sense-plain+bicubic,oracle+sinc,oracle+bicubic

.PHONY: bench test test-slow gpu gpu-pack lint reference

.venv/installed: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q -c constraints.txt -e ".[dev]"
	touch $@

bench: .venv/installed
	$(BENCH) run --dataset vwi,vfa --methods all --results runs --compare results
	$(BENCH) report --results runs

test: .venv/installed
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-slow: .venv/installed
	.venv/bin/python -m pytest -m slow -n 2

gpu: .venv/installed
	.venv/bin/python -m pytest -m gpu tests/gpu

gpu-pack: .venv/installed
	.venv/bin/python tools/gpu_pack.py

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

reference: .venv/installed
	$(BENCH) run --dataset vwi,vfa --methods all --results results
	$(BENCH) run --dataset brain --methods all --results results --no-timing
	$(BENCH) run --dataset brain --folds 1,2,3,4 --methods "$(L1),$(GAN),$(UNTRAINED)" --results results --no-timing
	$(BENCH) run --dataset vwi --folds 1,2,3,4 --methods "$(L1),$(GAN),$(UNTRAINED)" --results results --no-timing
	$(BENCH) run --dataset vwi --seeds 3 --methods "$(SEEDS)" --results results --no-timing
	$(BENCH) run --dataset regimes --folds all --methods "dl-espirit+rrdb,dl-espirit~rrdb,hr-refined,hr-refined-frozen,hr-unrolled,proposed-l1,$(UNTRAINED)" --results results --no-timing
	.venv/bin/python tools/thin.py results
	.venv/bin/python tools/readme.py
