# The first Python of the versions that we support; `make PYTHON=python3.12 install` names another.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c '$(SUPPORTED)' 2>/dev/null && echo $$name && break; done)

VENV := .venv
BIN := $(VENV)/bin
# The environment is complete when it has the mark of these very requirements.
INSTALLED := $(VENV)/installed-$(shell cksum < requirements.txt | cut -d' ' -f1)
TESTS_INSTALLED := $(VENV)/tests-installed-$(shell cat requirements.txt tests/requirements.txt | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
.PHONY: help run install test lint bench gallery faults fuzz audit chromium

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  PORT, LAB_HOME, DATABASE_URL and REDIS_URL change what 'make run' uses."

run: $(INSTALLED) ## Start the lab (installs it first) and print a sign-in link; Ctrl+C stops it
	@$(BIN)/python -m webapp.supervisor

install: $(INSTALLED) ## Prepare the environment alone
	@echo "Installed in $(VENV)."

test: $(TESTS_INSTALLED) chromium ## Run all tests (ARGS="-k name" for some), the browser's included
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(TESTS_INSTALLED) ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive engine webapp manage.py -ll

bench: $(INSTALLED) ## Measure speed and memory
	$(BIN)/python -m benchmarks

gallery: $(INSTALLED) ## Compute what is missing of the gallery's results; goes on where it stopped
	$(BIN)/python -m benchmarks.gallery

faults: $(TESTS_INSTALLED) chromium ## Kill, fill and cut off a lab's parts, and measure how it heals (ARGS="--seed N")
	$(BIN)/python -m tests.faults $(ARGS)

fuzz: $(TESTS_INSTALLED) ## Try for long what nobody would send (FUZZ=50)
	FUZZ=$${FUZZ:-50} $(BIN)/python -m pytest -n 0 --timeout 3600 tests/fuzz

audit: $(TESTS_INSTALLED) ## Ask whether anything that is installed has a known weakness
	$(BIN)/python -m tests.audit

$(INSTALLED):
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUPPORTED)' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Installing the lab in $(VENV); the first time this takes a minute or more."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@rm -f $(VENV)/installed-* && touch $@

$(TESTS_INSTALLED): $(INSTALLED)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt -r tests/requirements.txt
	@rm -f $(VENV)/tests-installed-* && touch $@

# The browser of the end-to-end tests: yours, or the system's package, or Playwright's own.
chromium: $(TESTS_INSTALLED)
	@if test -n "$$CHROMIUM" || command -v chromium >/dev/null || command -v google-chrome >/dev/null; then \
		:; \
	elif test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		apt-get update && apt-get install -y --no-install-recommends chromium \
			|| $(BIN)/python -m playwright install --with-deps chromium; \
	else \
		$(BIN)/python -m playwright install chromium; \
	fi
