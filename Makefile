# palitra: what a person or a machine asks of this tree.
#
#   make          the release library: target/release/libpalitra.so and libpalitra.a
#   make demo     fetches URLs with examples/c/fetch.c; URLS="..." or a server of its own
#   make test     every test; installs what they need
#   make lint     format, clippy and documentation, without a warning
#   make bench    palitra beside its rivals

LIBRARY_DIR := $(CURDIR)/target/release

.PHONY: all demo test lint bench clean

# Cargo turns link-time optimisation off for a package with an rlib beside its libraries; asked for one at a
# time it does not. The archive is one object that way, and keeps every registered job.
all:
	cargo rustc --release --lib --crate-type cdylib
	cargo rustc --release --lib --crate-type staticlib
