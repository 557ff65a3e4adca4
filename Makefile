# palitra: what a person or a machine asks of this tree.
#
#   make          the release library: target/release/libpalitra.so and libpalitra.a
#   make demo     fetches URLs with examples/c/fetch.c: URLS="...", or pages of a server of its own
#   make test     every test; installs what they need; test-rust, test-cpp, test-go, test-python each a part
#   make lint     format, clippy and documentation, without a warning
#   make bench    palitra beside its rivals
#   make growth   what one item costs while their number grows to a million
#   make wheel    the Python package: target/wheels/palitra-*.whl
#   make install  libraries, headers, pkg-config and CMake files: PREFIX=/usr/local DESTDIR=
#   make clean    removes what the others made

# What the tests link and load: libpalitra, and the libraries of tests/jobs and examples/jobs.
export PALITRA_LIBRARY_DIR := $(CURDIR)/target/release
JOBS_DIR := $(CURDIR)/target/jobs/release

.PHONY: all demo test test-rust lint bench clean jobs

# Cargo turns link-time optimisation off for a package with an rlib beside its libraries; asked for one at a
# time it does not. The archive is one object that way, and keeps every registered job.
all:
	cargo rustc --release --lib --crate-type cdylib
	cargo rustc --release --lib --crate-type staticlib

demo:
	cargo rustc --release --lib --crate-type cdylib
	examples/c/demo.sh $(URLS)

# In a folder of their own: as their dependency palitra is built with other features, under the same name.
jobs:
	cargo build --release --target-dir target/jobs --package palitra-test-jobs --package palitra-example-jobs
	ln -sf $(JOBS_DIR)/libpalitra_test_jobs.so $(JOBS_DIR)/libexample_jobs.so target/release/

# One after the other: some tests measure that a call ends on time.
test: setup
	$(MAKE) test-rust
	$(MAKE) test-cpp
	$(MAKE) test-go
	$(MAKE) test-python

# Bounded by its own limits; a proxy of the machine's is not for servers on the loopback.
test-rust: export NO_PROXY := 127.0.0.1,localhost
test-rust: all jobs target/venv-go/made
	cargo test --workspace --exclude palitra-rivals
	RUSTFLAGS="--cfg palitra_model" cargo test --target-dir target/model --release --config 'profile.release.lto="off"' \
		--lib --no-default-features model

.PHONY: setup
setup:
	tests/setup.sh

lint: lint-python
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --workspace --exclude palitra-rivals

include benches/Makefile.inc
include bindings/python/Makefile.inc
include benches/python/Makefile.inc
include packaging/Makefile.inc
include tests/cpp/Makefile.inc
include bindings/go/Makefile.inc

clean:
	cargo clean
