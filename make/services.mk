##@ Services

SERVICES_MANIFEST := --manifest-path examples/services/Cargo.toml --target-dir target/services
SERVICES_LIBRARY := $(CURDIR)/target/services/release/libexample_services.so

# The hosts in Go are built by the toolchain of the tests, with nothing from the network; the host in Python finds the
# package in the checkout, and in it the library of the jobs as its own: nothing else is to be built.
SERVICES_ENVIRONMENT = GO="$$(ls $(CURDIR)/$(GO_ENVIRONMENT)/lib/python3*/site-packages/go/bin/go)" \
	GOFLAGS=-mod=mod GOENV=off GOTOOLCHAIN=local GOPROXY=off GOTELEMETRY=off GOWORK=off \
	GOCACHE=$(CURDIR)/target/go/cache GOPATH=$(CURDIR)/target/go/path \
	PYTHONPATH=$(CURDIR)/bindings/python/src PALITRA_LIBRARY=$(SERVICES_LIBRARY) NO_PROXY=127.0.0.1,localhost

.PHONY: services setup-services demo-services test-services lint-services

## Installs what the tests need, and the servers
setup-services:
	tests/setup.sh services

# Not optimised at link time, as the libraries of `make jobs` are not. From nothing this compiles some 200 crates.
## The library of examples/services
services:
	cargo build --release --locked $(SERVICES_MANIFEST) --config 'profile.release.lto="off"'

## Starts PostgreSQL, Redis and NATS, and runs the hosts of examples/services in C, C++, Go and Python
demo-services: setup-services services $(GO_ENVIRONMENT)/made
	$(SERVICES_ENVIRONMENT) examples/services/hosts/build.sh target/services/hosts $(dir $(SERVICES_LIBRARY))
	$(SERVICES_ENVIRONMENT) python3 -B examples/services/servers.py examples/services/hosts/demo.sh \
		target/services/hosts $(SERVICES_LIBRARY)

# Not part of `make test`, for the time that the crates take to compile.
## The tests of examples/services, with real servers
test-services: setup-services services $(GO_ENVIRONMENT)/made $(PYTHON_ENVIRONMENT)/made
	$(SERVICES_ENVIRONMENT) $(PYTHON_ENVIRONMENT)/bin/python -B -m pytest tests/services

## clippy, which compiles for as long
lint-services:
	cargo clippy --locked $(SERVICES_MANIFEST) -- -D warnings
