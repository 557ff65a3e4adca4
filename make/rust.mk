##@ Rust, and the libraries

JOBS_DIR := $(CURDIR)/target/jobs/release
# What the tests alone need is compiled by both processors, and the libraries among it are optimised a little.
SIDE_BY_SIDE := --config 'profile.release.lto="off"' --config profile.release.codegen-units=16
MODEL ?= model
MODELS = cargo test --package palitra-models --features loom --target-dir target/model --release $(SIDE_BY_SIDE) $(MODEL)

SIMULATION = cargo test --quiet --package palitra-models --features shuttle --target-dir target/simulation --release \
	$(SIDE_BY_SIDE) --config profile.release.opt-level=1 simulation -- --nocapture
# The packages that `cargo test` does not test: one is for benchmarks, one the sources for the two tools above.
NOT_TESTED := --exclude palitra-rivals --exclude palitra-models

.PHONY: default all command jobs test-rust test-models build-tests-rust lint-rust format-rust

# CARGO=cargo-web CARGOFLAGS="--locked --offline" CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu are for packagers.
CARGO ?= cargo
CARGOFLAGS ?= --locked
CARGO_HOME_FOLDER = $(abspath $(or $(CARGO_HOME),$(HOME)/.cargo))

# What is built for others names no folder of the builder's, so two builds of one tree are the same to the byte. The C
# that is compiled in (ring, zstd) is hardened as distributions ask; a packager's own CFLAGS come after and win.
BUILD_RUSTFLAGS = --remap-path-prefix=$(CARGO_HOME_FOLDER)=/cargo --remap-path-prefix=$(CURDIR)=/palitra
BUILD_CFLAGS = -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-ffile-prefix-map=$(CARGO_HOME_FOLDER)=/cargo -ffile-prefix-map=$(CURDIR)=/palitra
all command: export RUSTFLAGS := $(BUILD_RUSTFLAGS) $(RUSTFLAGS)
all command: export CFLAGS := $(BUILD_CFLAGS) $(CFLAGS)

# Whose code is in what was built: another file for each machine that it was built for.
THIRD_PARTY = target$(CARGO_BUILD_TARGET:%=/%)/THIRD-PARTY.txt

.DEFAULT_GOAL := default

# The licences, too: `make install` may run as root, who may find no cargo and is not to run one.
## What `make` alone does: the libraries, the command and THIRD-PARTY.txt, which `make install` installs
default: all command $(THIRD_PARTY)

# Cargo turns link-time optimisation off for a package with an rlib beside its libraries; asked for these two it does
# not. The archive is one object that way, and keeps every registered job. One call, as optimising both takes no longer
# than one.
## target/release/libpalitra.so and libpalitra.a, and include/palitra.h
all:
	$(CARGO) rustc $(CARGOFLAGS) --release --lib --features header,schema --crate-type cdylib --crate-type staticlib
	build/archive.sh $(PALITRA_LIBRARY_DIR)/libpalitra.a

## The command palitra: target/release/palitra
command:
	$(CARGO) build $(CARGOFLAGS) --release --package palitra-cli

# In a folder of their own: as their dependency palitra is built with other features, under the same name. Cargo could
# optimise only one of the two at link time, and the tests need neither to be, nor more than what is quickly built.
## The libraries of tests/jobs and examples/jobs, which the tests call
jobs:
	mkdir -p target/release
	cargo build --release --target-dir target/jobs $(SIDE_BY_SIDE) \
		--config profile.release.opt-level=1 --package palitra-test-jobs --package palitra-example-jobs
	ln -sf $(JOBS_DIR)/libpalitra_test_jobs.so $(JOBS_DIR)/libexample_jobs.so target/release/

# Bounded by its own limits; a proxy of the machine's is not for servers on the loopback.
## What cargo runs: the Rust API, the command, C programs, header, documents, the conformance of all languages
test-rust: export NO_PROXY := 127.0.0.1,localhost
test-rust: all jobs $(GO_ENVIRONMENT)/made $(PYTHON_ENVIRONMENT)/made $(TYPESCRIPT)/made
	cargo test --workspace $(NOT_TESTED)

## loom runs what threads share through every order of events: MODEL=NAME for a part
test-models:
	$(MODELS)

build-tests-rust:
	cargo test --workspace $(NOT_TESTED) --no-run

## rustfmt, clippy and rustdoc
lint-rust:
	cargo fmt --all --check
	cargo fmt --manifest-path benches/python/rival/Cargo.toml --check
	cargo fmt --manifest-path examples/services/Cargo.toml --check
	@# Workspaces of their own have the crate's dependencies in their lock files, too.
	cargo update --quiet --workspace --locked --manifest-path benches/python/rival/Cargo.toml
	cargo update --quiet --workspace --locked --manifest-path examples/services/Cargo.toml
	cargo clippy --workspace --exclude palitra-models --all-targets -- -D warnings
	@# By itself: beside others it has what they ask for of its dependencies.
	cargo clippy --package palitra-macros --all-targets -- -D warnings
	cargo clippy --package palitra-models --features loom --all-targets -- -D warnings
	cargo clippy --package palitra-models --features shuttle --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --workspace $(NOT_TESTED)

## rustfmt
format-rust:
	cargo fmt --all
	cargo fmt --manifest-path benches/python/rival/Cargo.toml
	cargo fmt --manifest-path examples/services/Cargo.toml
