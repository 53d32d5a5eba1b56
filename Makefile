# Slipway's commands. Each installs what it needs (deps/install), so a fresh clone starts here.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One compiler cache for every clone on this machine, whatever its path.
export CCACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ccache
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
# Several clones may share what deps/install brings: SLIPWAY_DEPS names another folder than .deps.
configure := cmake --log-level=WARNING $(if $(SLIPWAY_DEPS),-DSLIPWAY_DEPS=$(SLIPWAY_DEPS))

.PHONY: help demo build test bench format format-check tidy sanitize fuzz soak kill-test bits-test large-test airflow-test python-wheel test-python-engines clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: build  ## From a flights table to a served model; CI=1 ends by itself
	@deps/install demo
	@examples/flight-delay/run

build:  ## The release program: build/release/slipway
	@deps/install build
	@test -f build/release/build.ninja || $(configure) --preset release
	@ninja -C build/release slipway

test:  ## Everything that CI runs: checks, unit tests (also under sanitizers), scenarios, conformance, clients, a minute of fuzzing
	@deps/install test
	@$(configure) --preset release -DSLIPWAY_CHECKS=ON
	@ninja -C build/release slipway unit_tests scoring_bench load_generator null_server
	@$(MAKE) build-sanitized
	@ctest --test-dir build/release --output-on-failure --parallel $$(nproc)

bench: build  ## Measure against the opponents of bench/; --quick by QUICK=1
	@deps/install bench
	@bench/run
	@bench/serve/run $(if $(QUICK),--quick)
	@bench/batch/run $(if $(QUICK),--rows 200000)

format:  ## Format every source
	@tools/check_format --fix

format-check:  ## Check the format of every source
	@tools/check_format

tidy:  ## clang-tidy over every source that changed since it passed, without a limit of time
	@deps/install test
	@test -f build/release/build.ninja || $(configure) --preset release
	@tools/tidy

sanitize:  ## Unit tests under ASan+UBSan, and the threaded rooms under TSan
	@deps/install test
	@$(configure) --preset release -DSLIPWAY_CHECKS=ON
	@$(MAKE) build-sanitized
	@ctest --test-dir build/release --output-on-failure --parallel $$(nproc) --label-regex 'asan|tsan'

fuzz:  ## Fuzz for SECONDS in total (default 60); TARGET=name for one
	@deps/install test
	@$(MAKE) build-fuzz
	@tools/run_fuzz $(or $(SECONDS),60) $(TARGET)

.PHONY: build-sanitized build-fuzz
build-sanitized: build-fuzz
	@ninja -C build/asan unit_tests
	@$(configure) --preset tsan
	@ninja -C build/tsan threaded_tests

build-fuzz:
	@$(configure) --preset asan
	@ninja -C build/asan fuzz_targets

soak:  ## Good, bad, slow and aborted traffic at once for MINUTES (default 10), every answer checked
	@deps/install test
	@test -f build/release/build.ninja || $(configure) --preset release
	@ninja -C build/release slipway load_generator
	@$(or $(SLIPWAY_DEPS),.deps)/venv/bin/python -W ignore tests/soak/run.py build/release build/soak.json --minutes $(or $(MINUTES),10)

kill-test: build  ## Kill batch jobs KILLS times (default 200) at random moments: each must resume to the same bytes
	@deps/install test
	@SLIPWAY_KILLS=$(or $(KILLS),200) $(or $(SLIPWAY_DEPS),.deps)/venv/bin/python -m pytest -q -p no:cacheprovider tests/scenario/test_batch.py -k killed

bits-test: build  ## Score ROWS (default 1,000,000) by a batch job and by a server: the same bits
	@deps/install test
	@SLIPWAY_SERVED_ROWS=$(or $(ROWS),1000000) $(or $(SLIPWAY_DEPS),.deps)/venv/bin/python -m pytest -q -p no:cacheprovider tests/scenario/test_batch.py -k server_bit_by_bit

large-test: build  ## A job over GIGABYTES (default 20) of CSV and of Parquet, killed on the way, in at most 1 GB of memory
	@deps/install demo
	@$(or $(SLIPWAY_DEPS),.deps)/venv/bin/python -W ignore tests/soak/large_batch.py build/release build/large --gigabytes $(or $(GIGABYTES),20)
	@$(or $(SLIPWAY_DEPS),.deps)/venv/bin/python -W ignore tests/soak/large_batch.py build/release build/large --gigabytes $(or $(GIGABYTES),20) --format parquet

airflow-test: build  ## Run the DAG that `batch manifest --for airflow` writes in a real Airflow (300 MB)
	@deps/install airflow
	@SLIPWAY=build/release/slipway $(or $(SLIPWAY_DEPS),.deps)/airflow-venv/bin/python -m pytest -q -p no:cacheprovider tests/airflow

python-wheel: build  ## The Python package, with everything it needs inside: build/wheels/
	@deps/install wheel
	@tools/build_wheel build/release build/wheels

test-python-engines: python-wheel  ## The wheel in real Spark and Ray (large: deps/install engines), every answer compared
	@deps/install demo
	@deps/install engines
	@tools/test_engines build/release build/wheels

clean:  ## Remove what was built (not .deps, not the compiler cache)
	@rm -rf build
