# A thin front of Meson and Ninja. `make help` says what there is; ROW=gcc|clang|asan|tsan|assertions picks the build,
# SETUP=quick|one|all how many of the tests: those in one process, those with one server too, those with several.
ROW ?= gcc
BUILD = $(if $(filter gcc,$(ROW)),build,build-$(ROW))
SETUP ?= all
SUITE ?=
SEED ?=
ARGS ?=

OPTIONS_gcc =
OPTIONS_clang =
OPTIONS_asan = -Db_sanitize=address,undefined -Db_lundef=false
OPTIONS_tsan = -Db_sanitize=thread -Db_lundef=false
OPTIONS_assertions = -Draft_assertions=$(CURDIR)/build-raft
OPTIONS_fuzz = -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true
CC_clang = clang
CC_fuzz = clang

export ASAN_OPTIONS ?= detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS ?= halt_on_error=1:print_stacktrace=1
# The lock manager holds all its stripes at once to look for deadlocks of its own: more mutexes than TSan can follow.
export TSAN_OPTIONS ?= halt_on_error=1:detect_deadlocks=0

.PHONY: cluster cluster-stop build build-tests run test check asan tsan clang fuzz sim crash mutants tck bench lint format help clean

build: $(BUILD)/build.ninja ## the server, as build/quiver
	@ninja -C $(BUILD) --quiet

# A build that was configured before cmocka was there, by ./run say, has no tests: it looks again, and says so if cmocka is still missing.
build-tests: $(BUILD)/build.ninja
	@grep -q cmocka $< || meson setup --reconfigure -Dtests=enabled $(BUILD) >$(BUILD).setup.log 2>&1 || { tail -30 $(BUILD).setup.log; exit 1; }
	@rm -f $(BUILD).setup.log
	@ninja -C $(BUILD) --quiet

build-raft/libraft.a:
	@tools/raft_assertions build-raft

$(BUILD)/build.ninja: $(if $(filter assertions,$(ROW)),build-raft/libraft.a)
	@$(if $(CC_$(ROW)),CC=$(CC_$(ROW))) meson setup $(BUILD) $(OPTIONS_$(ROW)) >$(BUILD).setup.log 2>&1 || { tail -30 $(BUILD).setup.log; exit 1; }
	@rm -f $(BUILD).setup.log

run: build ## builds, then runs a standalone server on loopback, data in var/
	@exec $(BUILD)/quiver console --home var $(ARGS)

cluster: build ## three cores and a read replica on loopback, data in var/cluster; cluster-stop ends them
	@BUILD=$(BUILD) tools/cluster start
cluster-stop:
	@BUILD=$(BUILD) tools/cluster stop

test: check ## all tests that take seconds to minutes; what ./test runs after installing

check: build-tests
	@meson test -C $(BUILD) --no-rebuild --setup $(SETUP) $(if $(SUITE),--suite $(SUITE)) --print-errorlogs $(if $(filter asan tsan,$(ROW)),-t 5)

asan tsan clang: ## the tests in that build
	@$(MAKE) --no-print-directory check ROW=$@

tck: build ## the openCypher TCK of TCK_DIR=... against a server of its own
	@tests/tck/run $(BUILD)/quiver

sim: build-tests ## long runs of the simulators; SEED=n replays one of the store; ROW=assertions with the Raft library's own assertions on
	@tests/sim/soak $(BUILD) $(SEED)

crash: build-tests ## kill -9 and power cuts, ROUNDS=n of each (300); results go into docs/develop
	@tests/crash/kill.py $(BUILD)/quiver --rounds $(or $(ROUNDS),300) --ledger docs/develop/kills.txt
	@tests/crash/power.py $(BUILD)/tests/sim/sim_server --cuts $(or $(ROUNDS),300) --ledger docs/develop/power-cuts.txt

mutants: ## each safety rule switched off in turn; every one must be caught
	@tools/mutants.py
	@tools/cluster_mutants.py
	@tools/product_mutants.py

fuzz: ## the fuzzers, a minute each (SECONDS=n for longer), and whether they find what is planted
	@tests/fuzz/run
	@tests/fuzz/planted

bench: build ## side by side with the peers, as ratios of one run
	@bench/run $(BUILD)

lint: build ## layers, banned calls, formatting
	@meson test -C $(BUILD) --no-rebuild --suite lint --print-errorlogs

format: ## clang-format over src/, tests/, bench/
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	@rm -rf build build-asan build-tsan build-clang build-fuzz

help: ## this list
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z -]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'
