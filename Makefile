# Everything here sets itself up: a virtual environment in .venv, from PyPI. Only Python 3.11 and make are needed;
# the cluster tests also need `make tools`, which needs Go.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := python ci tests
# Of thousands of modules those that are imported are compiled, at their first import. The pip that comes with Python may
# be years old, and then takes twice the time.
PIP_FLAGS := --quiet --no-compile --disable-pip-version-check

# Tests start the command line thousands of times: its modules are compiled once, as those of an installed package are.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test demo-cluster tools node bench bench-compare profile soak fuzz lint scan package format clean

help:
	@echo "make demo          two lanes of a pipeline, rendered, checked, written to ./demo; a change is refused"
	@echo "make test          the tests; those on a cluster are skipped until \`make tools\` was run"
	@echo "make tools         build the test control plane and Helm 4 (Go), bring ZooKeeper and Storm (Maven); minutes once"
	@echo "make node          build a real node: kubelet, containerd, images (Go, apt, root); minutes once"
	@echo "make demo-cluster  the demo on a throw-away cluster: a real node where one was built, else a control plane"
	@echo "make bench         times and memory, as ratios to bare helm; make bench-compare compares the last two results"
	@echo "make profile       where the time of each command goes: a table, and a timeline for chrome://tracing"
	@echo "make soak          20 times the generated inputs; 200 upgrade attempts, 400 kills, 200 races, 80,000 requests; hours"
	@echo "make fuzz          generated input for the reader of YAML and for the rules, ten minutes; Linux on x86-64"
	@echo "make lint          what CI checks besides the tests"
	@echo "make scan          the charts' default output, held against checkov's security checks"
	@echo "make package       the charts as .tgz with an index, in ./dist; their versions rise where they changed"
	@echo "make format        format the code, and make again what is generated"

demo: .venv/.installed
	$(BIN)/python ci/demo.py

test: .venv/.dev
	$(BIN)/python -m pytest -n 6 $(TESTS)

tools:
	@$(PYTHON) ci/tools/toolchain.py
	@$(PYTHON) ci/tools/javatools.py

node:
	@$(PYTHON) ci/tools/nodetools.py

demo-cluster: .venv/.installed tools
	$(BIN)/python ci/tools/nodecluster.py --or-control-plane -- $(BIN)/python ci/demo.py --cluster

bench: .venv/.dev tools
	$(BIN)/python ci/bench/bench.py $(if $(ONLY),--only $(ONLY))

bench-compare: .venv/.python
	@$(BIN)/python ci/bench/results.py $(RESULTS)

profile: .venv/.dev tools
	$(BIN)/python ci/bench/profiling.py

soak: .venv/.dev tools node
	SIDELANE_SOAK_TIMES=20 $(BIN)/python -m pytest -n 2 tests/unit tests/charts tests/helm
	SIDELANE_SOAK_UPGRADES=200 SIDELANE_SOAK_KILLS=100 SIDELANE_SOAK_KILLED_INSTALLS=200 SIDELANE_SOAK_RACES=100 \
		SIDELANE_SOAK_REQUESTS=20000 SIDELANE_SOAK_WALKS=20 SIDELANE_TEST_ALL_HELMS=1 \
		SIDELANE_SOAK_KILLED_SHIFTS=100 SIDELANE_SOAK_LOCKSTEPS=200 SIDELANE_SOAK_LOCKSTEP_ROUNDS=20 \
		SIDELANE_SOAK_LOCKSTEP_WALKS=12 SIDELANE_SOAK_CHANGES=50 SIDELANE_SOAK_NAMES=150 SIDELANE_SOAK_WORDS=9 \
		$(BIN)/python -m pytest -n 2 tests/helm/test_upgrades.py tests/cluster/test_guard.py tests/cluster/test_faults.py \
		tests/cluster/test_walk.py tests/node/test_routes.py tests/cluster/test_lockstep.py tests/unit/test_lockstep.py tests/traffic/test_lockstep.py \
		tests/cluster/test_lockstep_walk.py tests/node/test_lockstep.py tests/traffic/test_real_requests.py \
		tests/cluster/test_names.py tests/cluster/test_texts.py \
		-k "generated or any_order or killed_at_any or at_once or no_request_fails or exactly_when or under_load or taken \
			or otherwise"

fuzz: .venv/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement ci/fuzz/requirements.txt
	$(BIN)/python ci/fuzz/reader.py -max_total_time=600

lint: .venv/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python ci/chart_values.py --check

scan: .venv/.installed .venv/scan/.installed
	$(BIN)/python ci/scan/scan.py

# SINCE: what to compare versions with; SIGN_KEY: whose key signs provenance files. See ci/packages/package.py.
package: .venv/.installed
	$(BIN)/python ci/packages/package.py --since "$(SINCE)" --sign-key "$(SIGN_KEY)"

format: .venv/.dev
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/python ci/chart_values.py

clean:
	rm -rf .venv demo dist build

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + "; name another: make PYTHON=python3.13")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint ci/requirements.txt pip
	@touch $@

# The versions in ci/requirements.txt hold in both, so that every machine runs the same.
.venv/.installed: .venv/.python pyproject.toml ci/requirements.txt
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint ci/requirements.txt --editable '.[helm]'
	@touch $@

.venv/.dev: .venv/.installed
	$(BIN)/python -m pip install $(PIP_FLAGS) --requirement ci/requirements.txt
	@touch $@

# An environment of its own: checkov holds packages to versions that the other one is past.
.venv/scan/.installed: .venv/.python ci/scan/requirements.txt
	$(BIN)/python -m venv --without-pip .venv/scan
	$(BIN)/python -m pip --python .venv/scan/bin/python install $(PIP_FLAGS) --requirement ci/scan/requirements.txt
	@touch $@
