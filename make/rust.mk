##@ Rust, and the libraries

JOBS_DIR := $(CURDIR)/target/jobs/release
MODEL ?= model
MODELS = RUSTFLAGS="--cfg palitra_model" cargo test --target-dir target/model --release \
	--config 'profile.release.lto="off"' --config 'profile.release.codegen-units=16' --lib --no-default-features $(MODEL)

.PHONY: all jobs test-rust test-models build-tests-rust build-tests-models lint-rust format-rust

# Cargo turns link-time optimisation off for a package with an rlib beside its libraries; asked for these two it does
# not. The archive is one object that way, and keeps every registered job. One call, as optimising both takes no longer
# than one.
## What `make` alone does: target/release/libpalitra.so and libpalitra.a, and include/palitra.h
all:
	cargo rustc --release --lib --features header --crate-type cdylib --crate-type staticlib

# In a folder of their own: as their dependency palitra is built with other features, under the same name. Cargo could
# optimise only one of the two at link time, and the tests need neither to be.
## The libraries of tests/jobs and examples/jobs, which the tests call
jobs:
	mkdir -p target/release
	cargo build --release --target-dir target/jobs --config 'profile.release.lto="off"' \
		--package palitra-test-jobs --package palitra-example-jobs
	ln -sf $(JOBS_DIR)/libpalitra_test_jobs.so $(JOBS_DIR)/libexample_jobs.so target/release/

# Bounded by its own limits; a proxy of the machine's is not for servers on the loopback.
## What cargo runs: the Rust API, C programs, header, documents, the conformance of all languages
test-rust: export NO_PROXY := 127.0.0.1,localhost
test-rust: all jobs $(GO_ENVIRONMENT)/made
	cargo test --workspace --exclude palitra-rivals

## loom runs what threads share through every order of events: MODEL=NAME for a part
test-models:
	$(MODELS)

build-tests-rust:
	cargo test --workspace --exclude palitra-rivals --no-run

build-tests-models:
	$(MODELS) --no-run

## rustfmt, clippy and rustdoc
lint-rust:
	cargo fmt --all --check
	cargo fmt --manifest-path benches/python/rival/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --workspace --exclude palitra-rivals

## rustfmt
format-rust:
	cargo fmt --all
	cargo fmt --manifest-path benches/python/rival/Cargo.toml
