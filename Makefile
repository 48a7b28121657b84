# What a person types. Each target first sets up what is missing (scripts/setup.sh) and says what it does and why.
#
#   make run     build and open the app; with no display: start shopbell-server and print the address to open
#   make test    every test
#   make check   format, lints, types
#   make bench   the benchmarks
#
# Arguments for the program: make run ARGS="--profile shop-two"

SHELL := /usr/bin/env bash
.DEFAULT_GOAL := run
.PHONY: run test check bench

run:
	@scripts/run.sh $(ARGS)

test:
	@scripts/test.sh $(ARGS)

check:
	@scripts/check.sh

bench:
	@scripts/bench.sh $(ARGS)
