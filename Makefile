# Border Watch: two commands for everybody (`make demo`, `make test`), the rest for those who change it.
# A fresh clone needs git, make and Python 3.10 or newer; what else is missing is named with the
# command that installs it. Nothing is installed on the system unless APT=1 (or CI) allows it.

VENV := .venv
WEB := ground_station/web
PAGE := ground_station/static/index.html
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; done)
WEB_SOURCES := $(shell find $(WEB) -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers spelling venv page page-test docs yolo wheel \
	system-demo system-test clean
.DELETE_ON_ERROR:

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: system-demo $(VENV)/.demo $(PAGE) ## everything from nothing: a simulated border on a map
	@$(VENV)/bin/border-sim run demo

test: system-test $(VENV)/.dev check page-test ## everything that CI runs; TESTS=path narrows pytest
	$(VENV)/bin/python -m pytest --durations=10 $(TESTS)

check: lint types layers spelling ## ruff, mypy, import contracts, spelling

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.dev
	$(VENV)/bin/mypy

layers: $(VENV)/.dev
	$(VENV)/bin/lint-imports

spelling: $(VENV)/.dev
	$(VENV)/bin/codespell

venv: $(VENV)/.dev ## the environment of developers, in .venv

page: $(PAGE) ## build the guard's page into ground_station/static

page-test: $(PAGE)
	.ci/npm --prefix $(WEB) test

docs: $(VENV)/.dev ## write the generated references again
	$(VENV)/bin/python docs/generate.py

wheel: $(PAGE) $(VENV)/.dev ## build the wheel, page included, into dist
	$(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir dist .

yolo: $(VENV)/.yolo ## add ultralytics and a CPU torch to .venv (training, .pt networks)

clean: ## take away what was built; keeps .demo, the demonstration's records
	rm -rf $(VENV) $(WEB)/node_modules $(dir $(PAGE)) build dist *.egg-info

system-demo:
	@.ci/system demo

system-test:
	@.ci/system test

# --- stamps: a second run does nothing that is done ------------------------------------------------
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) makes no environments: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.demo: setup.cfg pyproject.toml $(VENV)/.made
	@echo "Installing what the demonstration needs into $(VENV) (once, a minute or two)" >&2
	@$(VENV)/bin/pip install --quiet --editable '.[edge,ground,sim,broker]'
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml $(VENV)/.made
	@echo "Installing what the tests need into $(VENV) (once, a few minutes)" >&2
	@$(VENV)/bin/pip install --quiet --editable '.[edge,ground,sim,broker,dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.yolo: models/cpu_torchvision/pyproject.toml $(VENV)/.dev
	.ci/cpu-torch $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --editable '.[yolo]'
	$(VENV)/bin/pip check
	@touch $@

$(WEB)/node_modules/.made: $(WEB)/package.json $(WEB)/package-lock.json
	.ci/npm --prefix $(WEB) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): $(WEB_SOURCES) $(WEB)/node_modules/.made
	.ci/npm --prefix $(WEB) run build
	@touch $@
