# `make help` lists the targets. Everything sets itself up: a fresh machine needs python3 >= 3.11 with pip, and make.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export TWS_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help setup demo cluster test test-fast test-jaeger soak engines-start engines-status engines-stop check format lock generate bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 16

setup: ## Build .venv with xget in it
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing. Install it: apt-get install python3 python3-pip"; exit 2; }
	@$(PYTHON) scripts/setup.py

demo: setup ## Collect, search and export posts of the sandbox's X, end to end, in about a minute
	@$(BIN)/python scripts/demo.py

test: setup ## Run all tests, with real engines that are started and stopped
	@$(BIN)/python scripts/run_tests.py all

test-fast: setup ## Run the tests that need no processes, in under a minute
	@$(BIN)/python scripts/run_tests.py fast

test-jaeger: setup ## Read a trace back from a real Jaeger, which is built first (8 minutes, once)
	@jaeger=$$($(BIN)/python scripts/tools jaeger) && \
		XGET_JAEGER=$$jaeger $(BIN)/python -m pytest -q tests/e2e/test_trace_jaeger.py

# Everything with a long form: whatever reads XGET_SOAK (tests/architecture/test_soak.py looks after it), and what has promised times.
SOAK = tests/faults tests/e2e/test_{assist,cluster,main_thread,stop}.py services/account/tests/test_{leases_trial,life_trial,logins_pages,pool_simulation}.py \
	services/proxy/tests/test_proxy_kill_trial.py services/scraper/tests/test_worker_memory.py \
	services/storage/tests/test_elastic_search_{trials,parity}.py

soak: setup ## Run the trials that have a long form in full: kills, simulated hours, many takers, memory, both searches
	@XGET_SOAK=1 XGET_BUSY=1 $(BIN)/python scripts/run_tests.py all $(SOAK)

cluster: setup ## Run one process per service on real engines until Ctrl-C (ARGS="--open --replicas worker=2")
	@exec $(BIN)/python scripts/cluster.py $(ARGS)

engines-start: setup ## Start PostgreSQL, Valkey, SecantusDB, Elasticsearch and Kafka and print their URLs
	@$(BIN)/python scripts/engines start

engines-status: setup ## Say which engines run
	@$(BIN)/python scripts/engines status --all

engines-stop: setup ## Stop the engines that engines-start started; their data stay
	@$(BIN)/python scripts/engines stop

check: setup ## ruff, mypy strict, import-linter, generated code up to date
	@$(BIN)/python scripts/check.py

format: setup ## Sort imports and format
	@$(BIN)/ruff check --select I --fix -q . ; $(BIN)/ruff format -q .

lock: setup ## Resolve requirements.in into requirements.lock
	@$(PYTHON) scripts/lock.py

generate: setup ## Write what comes from proto/ and from the task types again
	@$(BIN)/python scripts/gen_protos.py && $(BIN)/python scripts/gen_topics.py && $(BIN)/python scripts/gen_task_types.py && $(BIN)/python scripts/gen_grpc_docs.py

bench: setup ## Measure speed and memory as ratios and print a table (ARGS=--write keeps it in bench/RESULTS.md)
	@$(BIN)/python scripts/run_bench.py $(ARGS)

clean: ## Remove .venv, caches and demo output
	@rm -rf .venv .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis demo-out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
