##@ Python

PYTHON_BIN := $(CURDIR)/$(PYTHON_ENVIRONMENT)/bin
RUFF := $(PYTHON_BIN)/ruff
RUFF_CONFIG := --config bindings/python/pyproject.toml

# A crate of its own, outside the workspace: nothing else builds it.
PYTHON_RIVAL := target/python-rival/release/libpalitra_python_rival.so

.PHONY: wheel installed-wheel test-python test-python-versions test-python-peers lint-python format-python bench-python

# The library that was built is handed in: hatch_build.py would build it again. auditwheel finds the platforms it fits,
# and writes down the rights of folders as the umask has them.
## The Python package: target/wheels/palitra-VERSION-py3-none-manylinux_..._x86_64.whl
wheel: all $(PYTHON_ENVIRONMENT)/made
	rm -rf target/wheels
	$(dated) PALITRA_LIBRARY_FILE=$(PALITRA_LIBRARY_DIR)/libpalitra.so \
		$(PYTHON_BIN)/python -m build --wheel --no-isolation --outdir target/wheels/built bindings/python
	umask 022 && $(dated) PATH=$(PYTHON_BIN):$$PATH auditwheel repair --wheel-dir target/wheels target/wheels/built/*.whl
	rm -r target/wheels/built
	ls -l target/wheels

installed-wheel: wheel
	$(PYTHON_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall target/wheels/*.whl

# Three files at a time: most of what the tests do is waiting.
## The tests of the Python package as it is installed from its wheel
test-python: all jobs installed-wheel $(ORIGINAL_ENVIRONMENT)/made
	$(PYTHON_BIN)/python -B -m pytest --numprocesses 3 --dist loadfile tests/python

# Takes minutes for each version, and needs the package indexes for what the machine lacks: not part of `make test`.
## The tests of the Python package under every CPython from 3.10 on
test-python-versions: all jobs wheel $(ORIGINAL_ENVIRONMENT)/made
	$(PYTHON_BIN)/python -B tests/python/versions.py $(VERSIONS)

# Takes minutes and needs the package index for the peers' sources: not part of `make test`.
## asgiref's, synchronicity's and nest_asyncio's own tests, with palitra under their names
test-python-peers: wheel $(PEERS_ENVIRONMENT)/made
	$(PEERS_ENVIRONMENT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	$(PEERS_ENVIRONMENT)/bin/python -B tests/python/peers/run.py

# The types once more for each version of Python: tests/python/test_types.py.
## ruff, mypy and pyright
lint-python: $(PYTHON_ENVIRONMENT)/made
	$(RUFF) format $(RUFF_CONFIG) --check $(PYTHON_FILES)
	$(RUFF) check $(RUFF_CONFIG) $(PYTHON_FILES)
	$(PYTHON_BIN)/mypy --config-file bindings/python/pyproject.toml --cache-dir target/mypy bindings/python/src
	$(PYTHON_BIN)/basedpyright --project bindings/python --pythonpath $(PYTHON_BIN)/python

## ruff: the format, and what ruff can mend itself
format-python: $(PYTHON_ENVIRONMENT)/made
	$(RUFF) format $(RUFF_CONFIG) $(PYTHON_FILES)
	$(RUFF) check $(RUFF_CONFIG) --fix $(PYTHON_FILES)

# Beside the original in an environment of its own; nginx is there after `make setup`.
## The Python package beside the original and its peers, as one table of ratios
bench-python: export NO_PROXY := 127.0.0.1,localhost
bench-python: all jobs installed-wheel $(ORIGINAL_ENVIRONMENT)/made $(PYTHON_RIVAL)
	$(PYTHON_BIN)/python -B benches/python/bench.py --rival $(PYTHON_RIVAL) $(if $(PLOT),--plot $(PLOT))

$(PYTHON_RIVAL): benches/python/rival/Cargo.toml benches/python/rival/Cargo.lock benches/python/rival/src/lib.rs \
		$(PYTHON_ENVIRONMENT)/made
	PYO3_PYTHON=$(PYTHON_BIN)/python cargo build --release --locked --target-dir target/python-rival \
		--manifest-path benches/python/rival/Cargo.toml
	touch $@
