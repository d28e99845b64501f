# Thin doors to the `pinwheel` command. `make` or `make help` lists them.
-include .env
export $(filter PINWHEEL_%,$(.VARIABLES))

PYTHON ?= python3
STATE ?= $(or $(PINWHEEL_STATE_DIR),.pinwheel)
PINWHEEL := $(STATE)/tools/venv/bin/pinwheel
RATE ?= 1000
COUNT ?= 10000
DAY ?= all
ARGS ?=

# Set in some containers; without byte code each Airflow process compiles for seconds at each start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast faults check bench status health books stop produce replay sql rollups rebuild lint audit lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is needed, without starting anything
	@$(PYTHON) pinwheel/install/bootstrap.py
	@$(PINWHEEL) tools

$(PINWHEEL):
	@echo 'pinwheel: nothing is installed yet: `make run` or `make setup` does it' >&2; exit 1

status health books stop produce replay sql rollups rebuild lint audit clean: $(PINWHEEL)

run: ## Set up, start everything, send events, show the first rollup; Ctrl-C stops it
	@$(PYTHON) pinwheel/install/bootstrap.py
	@$(PINWHEEL) run

test: setup ## Set up and run all tests; ARGS goes to pytest
	@$(PINWHEEL) test $(ARGS)

test-fast: $(PINWHEEL) ## Run the tests that need no server, JVM, Airflow or browser; ARGS goes to pytest
	@$(PINWHEEL) test --fast $(ARGS)

faults: setup ## Kill and pause every program under load, then judge; ARGS="--seed 1 --faults 20 --events 50000"
	@$(dir $(PINWHEEL))python -m tests.support.campaign $(ARGS)

check: $(PINWHEEL) ## Run the linters and the fast tests
	@$(PINWHEEL) check

bench: setup ## Compare with the scripts that people write instead (an hour); ARGS goes to bench/run.py
	@$(PINWHEEL) bench --figures docs/benchmarks.json $(ARGS)

status: ## Show which programs are up, and the lag
	@$(PINWHEEL) status

health: ## Show how the whole pipeline is; fails when something is unwell
	@$(PINWHEEL) health

books: ## Show what became of every offset and every row; fails when something is unexplained
	@$(PINWHEEL) books

stop: ## Stop what `make run` started, from another terminal
	@$(PINWHEEL) stop

produce: ## Send COUNT events at RATE a second to the running stack
	@$(PINWHEEL) produce --rate $(RATE) --count $(COUNT)

replay: ## Send FILE (lines of user, TAB, pin) as repins to the running stack
	@$(PINWHEEL) replay "$(FILE)"

sql: ## Open a client on the reporting database, as an analyst; ARGS=--operator reads the merge's ledger too
	@$(PINWHEEL) sql $(ARGS)

rollups: ## Make the rollups of a day anew from the rows; DAY=2026-03-14 or DAY=all
	@$(PINWHEEL) rollups --recompute "$(DAY)"

rebuild: ## Make reporting tables anew from the lake; ARGS="repins" or ARGS=--all, with --dry-run only say what is read
	@$(PINWHEEL) rebuild $(ARGS)

lint: ## Check style, types, SQL and the pages' scripts; ARGS names some linters
	@$(PINWHEEL) lint $(ARGS)

audit: ## Show the locked packages with known faults, and write the list of all packages (SBOM)
	@$(PINWHEEL) audit

lock: ## Pin requirements.in into requirements.txt, and the jars and npm packages into their locks
	@$(PYTHON) pinwheel/install/bootstrap.py
	@$(STATE)/tools/uv/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@cd pinwheel/install/audit && "$(abspath $(STATE))/tools/uv/bin/uv" pip compile --quiet --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@for set in spark spark-s3 kafka mariadb s3 bench; do \
	  (cd pinwheel/install/jars/$$set && "$(abspath $(STATE))/tools/venv/bin/jgo" --quiet --resolver python lock; rm -rf .jgo) || exit 1; done
	@for set in web js; do \
	  (cd pinwheel/install/$$set && "$(abspath $(STATE))/tools/venv/bin/npm" install --package-lock-only --ignore-scripts) || exit 1; done

clean: ## Remove the stack's data (`pinwheel clean --all`: the downloads too)
	@$(PINWHEEL) clean
