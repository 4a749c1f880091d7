# Weft: everything from a fresh clone. Needs rustup, Node 20, Python 3, a C compiler, make and git; installs the rest.
# Each target prepares what it uses (scripts/setup), says one line for each thing it does, and can be repeated.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

BINARY := $(or $(CARGO_TARGET_DIR),target)/release/weft
# What `make test` has compiled for its tests: stories and API conformance run on it, so that the server is compiled once.
DEBUG_BINARY := $(or $(CARGO_TARGET_DIR),target)/debug/weft
ARGS ?=
STORY ?=
TEST ?=
FAULT ?=
ENGINE ?=
FULL ?=

.PHONY: help run build dev check lint fmt test test-rust simulate e2e fuzz faults size bench bench-peers bench-gateway outside test-build stories conformance embedder clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 12

run: build ## build and start on http://127.0.0.1:3000 with SQLite in ./weft-data (ARGS="--addr …")
	@exec "$(BINARY)" serve $(ARGS)

build: ## build the release binary, the site inside
	@scripts/setup wasm npm
	@node scripts/build-site.mjs
	@echo "==> compiling the server (release$(if $(wildcard $(BINARY)),,; the first time takes minutes))"
	@cargo build --quiet --release --features ssr --bin weft

dev: ## build without optimisation, start, and do both again whenever a file changes
	@scripts/setup wasm npm
	@exec node scripts/dev.mjs $(ARGS)

check: lint ## formatting, lints for server and browser, and the fast tests (SQLite only)
	@scripts/setup nextest
	@echo "==> tests on SQLite"
	@cargo nextest run --features ssr --cargo-quiet -E 'not test(/::postgres$$/)' $(TEST)

lint: # formatting, the rules of the site's build, and clippy for both halves
	@scripts/setup wasm
	@echo "==> formatting"
	@cargo fmt --check
	@echo "==> the site's chunks"
	@node --test --test-reporter=dot scripts/chunks.test.mjs
	@echo "==> clippy, server"
	@cargo clippy --quiet --features ssr --all-targets -- -D warnings
	@echo "==> clippy, browser"
	@cargo clippy --quiet --features hydrate --target wasm32-unknown-unknown --lib -- -D warnings

fmt: ## format the Rust code
	@cargo fmt

test: ## everything: lints, Rust tests and API conformance on SQLite and Postgres, browser stories on both
	@scripts/setup wasm npm e2e nextest postgres chromium schemathesis
	@scripts/both '$(MAKE) lint' 'node scripts/build-site.mjs'
	@$(MAKE) test-build
	@$(MAKE) test-rust
	@$(MAKE) stories BINARY="$(DEBUG_BINARY)"
	@$(MAKE) stories BINARY="$(DEBUG_BINARY)" DB=postgres
	@$(MAKE) conformance BINARY="$(DEBUG_BINARY)"
	@$(MAKE) conformance BINARY="$(DEBUG_BINARY)" DB=postgres

test-rust: ## the Rust tests on SQLite and a private Postgres (TEST=name selects)
	@scripts/setup nextest postgres
	@echo "==> tests on SQLite and Postgres"
	@WEFT_TEST_REQUIRE_POSTGRES=1 scripts/with-postgres --no-flush cargo nextest run --features ssr --cargo-quiet --no-fail-fast $(TEST)

test-build: # what `test-rust` runs, compiled
	@echo "==> compiling the tests"
	@cargo nextest run --features ssr --cargo-quiet --no-run

simulate: ## the engine under random faults: SEEDS=1000000 of them from FROM=0, or SEED=n exactly again
	@echo "==> simulating $(if $(SEED),seed $(SEED),$(or $(SEEDS),1000000) seeds$(if $(FROM), from $(FROM)); the first time compiles the tests with optimisation))"
	@WEFT_SIMULATE_SEED=$(SEED) WEFT_SIMULATE_SEEDS=$(or $(SEEDS),1000000) WEFT_SIMULATE_FROM=$(FROM) \
		cargo test --quiet $(if $(SEED),,--release) --features ssr --lib -- --exact --nocapture \
		workflow::engine::simulation::ten_thousand_seeds_keep_every_promise

e2e: build ## the browser stories on the release binary (STORY=name selects, DB=postgres)
	@scripts/setup e2e chromium
	@$(MAKE) stories

stories: # the browser stories on BINARY
	@echo "==> browser stories on $(if $(filter postgres,$(DB)),Postgres,SQLite)"
	@STORY="$(STORY)" WEFT_BINARY="$(abspath $(BINARY))" $(if $(filter postgres,$(DB)),scripts/with-postgres --no-flush) node end2end/run.mjs

fuzz: build ## API conformance: random calls of every operation, answered as the OpenAPI document says (DB=postgres)
	@scripts/setup schemathesis
	@$(MAKE) conformance

conformance: # the same on BINARY
	@echo "==> API conformance on $(if $(filter postgres,$(DB)),Postgres,SQLite)"
	@WEFT_BINARY="$(abspath $(BINARY))" $(if $(filter postgres,$(DB)),scripts/with-postgres --no-flush) node scripts/fuzz-api.mjs

faults: build ## the faults of docs/faults.md on the release binary, SQLite and Postgres (FAULT=F8,F3 selects, ENGINE=sqlite, FULL=1)
	@scripts/setup postgres
	@echo "==> faults$(if $(FULL),, (short: FULL=1 takes hours))"
	@FAULT="$(FAULT)" ENGINE="$(ENGINE)" FULL="$(FULL)" WEFT_BINARY="$(abspath $(BINARY))" scripts/with-postgres node tests/faults/run.mjs

size: build ## what the binary and the first load weigh, against the budget
	@node scripts/size.mjs "$(BINARY)"

bench: build ## the engine's workloads on SQLite and a private Postgres, with real flushes (docs/benchmarks.md)
	@scripts/setup postgres
	@scripts/with-postgres benches/run.py --binary "$(BINARY)" $(ARGS)

bench-peers: build ## the same, and LangGraph and DBOS beside it
	@scripts/setup postgres
	@test -x target/peers/bin/python || python3 -m venv target/peers
	@target/peers/bin/pip install --quiet --requirement benches/peers/requirements.txt
	@scripts/with-postgres benches/run.py --binary "$(BINARY)" --peers target/peers $(ARGS)

bench-gateway: build ## what the gateway adds to a call, and LiteLLM's proxy beside it
	@test -x target/peers/bin/python || python3 -m venv target/peers
	@target/peers/bin/pip install --quiet --requirement benches/peers/gateway.txt
	@"$(BINARY)" bench gateway
	@target/peers/bin/python benches/peers/litellm_bench.py --binary "$(BINARY)"

outside: build ## the Python SDKs of OpenAI and Anthropic before the gateway, and LiteLLM's proxy behind it (docs/testing.md)
	@test -x target/outside/bin/python || python3 -m venv target/outside
	@target/outside/bin/pip install --quiet --requirement tests/outside/requirements.txt
	@WEFT_BINARY="$(abspath $(BINARY))" node tests/outside/run.mjs target/outside

embedder: ## fetch a model that makes vectors of memory on this machine, into weft-data/embedders (WEFT_EMBEDDERS=folder)
	@scripts/fetch-embedder.py

clean: ## remove what was built; installed tools stay
	@cargo clean --quiet --profile dev
	@cargo clean --quiet --release
	@rm -rf target/site target/site-build target/wasm32-unknown-unknown end2end/output
