# A newcomer needs two: make demo, make test. Each sets up what it needs and is quick the second time.
.PHONY: help demo test check fix bench setup lock test-heavy
.DEFAULT_GOAL := help

SIZES ?= 10k 100k
# processes that run tests side by side, each with a database server of its own
TESTERS ?= 2
# file by file in the order they are found: by itself xdist would leave the longest ones, which hold few tests, to the end
SIDE_BY_SIDE = -n $(TESTERS) --dist loadfile --no-loadscope-reorder

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## install what running needs (into .venv)
	@tools/setup.sh run

demo: setup ## make a fictional city of 20,000, run the whole job, serve the pages
	@.venv/bin/wanjia demo

test: ## all quick tests (offline)
	@tools/setup.sh test
	@.venv/bin/python -m pytest -q $(SIDE_BY_SIDE) $(ARGS)

test-heavy: ## Spark, browser journeys, kills, faults, generative
	@tools/setup.sh heavy
	@.venv/bin/python -m pytest -q $(SIDE_BY_SIDE) -m "spark or heavy or journey" $(ARGS)

check: ## style, names, layers
	@tools/setup.sh test
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/python -m pytest -q tests/architecture

fix: ## mend style
	@tools/setup.sh test
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

bench: ## measure the whole job beside plain Splink (SIZE=1m for a million residents)
	@tools/setup.sh test
	@.venv/bin/python -m bench.run $(if $(SIZE),$(SIZE),$(SIZES))

lock: ## write the lock files anew
	@rm -f requirements/*.txt; tools/lock.sh
