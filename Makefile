# palitra: what a person or a machine asks of this tree. `make help` lists the targets.
#
# One fragment of make/ for each language and for each thing that is not a language. In every language the targets are
# named alike: test-LANG, lint-LANG, format-LANG, bench-LANG. A comment with two hashes above a target documents it for
# `make help`, one with ##@ begins a group.

# What the tests link and load: libpalitra, and the libraries of tests/jobs and examples/jobs.
export PALITRA_LIBRARY_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target)/$(CARGO_BUILD_TARGET)/release)

include make/tools.mk
include make/rust.mk
include make/c.mk
include make/cpp.mk
include make/go.mk
include make/python.mk
include make/node.mk
include make/ruby.mk
include make/php.mk
include make/lua.mk
include make/perl.mk
include make/java.mk
include make/shell.mk
include make/services.mk
include make/package.mk
include make/release.mk
include make/deb.mk
include make/docs.mk
include make/bench.mk
include make/proof.mk

##@ Every language

.PHONY: help setup test test-long build-tests lint format clean

## This list
help:
	@awk -f make/help.awk $(MAKEFILE_LIST)

## Installs what the tests need and the machine lacks: Debian's packages, as root
setup:
	tests/setup.sh

# First what all suites need. Then three at a time, as half of what they do is waiting; the models, which look at no
# clock, get what time is left over.
## Every test of every language, then one line with how many ran and how long each part took
test: setup
	python3 -B make/test.py $(MAKE)

# What `make test` does with three preemptions, some hundred processes of each kind, fewer goroutines, the race detector
# under one kind of context, and address and undefined behaviour sanitizers in one way of C++.
## The long proofs: loom deeper, processes and goroutines by the thousands, every sanitizer for all Go and C++
test-long: export PALITRA_TEST_LONG := 1
test-long: test-models all jobs test-go test-cpp-long
	cargo test --test process

# What several suites are made of, two at a time: the last step of each library is one long job of one thread. What one
# suite alone needs it compiles itself, while others wait.
## Builds what the tests need and runs none
build-tests:
	+$(MAKE) --no-print-directory -j2 all jobs build-tests-rust \
		$(GO_ENVIRONMENT)/made $(PYTHON_ENVIRONMENT)/made $(TYPESCRIPT)/made $(ORIGINAL_ENVIRONMENT)/made \
		$(NODE_ENVIRONMENT)/made

## Format, lint and types of every language, without a warning
lint: lint-rust lint-c lint-cpp lint-go lint-python lint-node lint-ruby lint-php lint-lua lint-perl lint-java lint-shell

## Formats every file of every language
format: format-rust format-c format-cpp format-go format-python format-node format-ruby format-php format-perl

## Removes what the others made
clean:
	cargo clean
