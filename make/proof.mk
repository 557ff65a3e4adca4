##@ Proof

# Long runs of what `make test` does little of, each a command of its own: docs/reliability.md has what they found. They
# run beside other work: no figure of theirs is a time that a busy machine would spoil.

PROOF_OUT := target/proof
FUZZ_OUT := target/fuzz
FUZZ_CLANG ?= clang-19
FUZZ_LIBRARY = $(abspath $(FUZZ_OUT))/$$(rustc --print host-tuple)/release
FUZZ_PROGRAM = $(FUZZ_CLANG) -std=c11 -O1 -g -Wall -Wextra -Werror -pthread -fsanitize=fuzzer,address -rdynamic \
	-Iinclude $< -o $@

# How long a target of fuzzing runs, each of the two; how many runners the storms shut down, how often each language
# forks and exits; how long the soak is.
FUZZ_SECONDS ?= 1800
ROUNDS ?= 10000
FORKS ?= 2000
EXITS ?= 1000
MINUTES ?= 60

# How many seeds the simulation plays, a hundred lives each.
SEEDS ?= 1000

# Which part of the changes of Rust sources `make mutants` tries, and of how many parts; how many of the changes of
# Python's loop `make mutants-python` tries, and the number by which they are drawn.
SHARD ?= 0
SHARDS ?= 16
SAMPLE ?= 90
SEED ?= 1

# Of which rooms of src `make coverage` prints what no test reaches.
ROOMS ?= abi ffi queue runner token

.PHONY: simulation proof-replay planted coverage mutants mutants-python
.PHONY: proof fuzz fuzz-replay fuzz-grow fuzz-coverage faults storms growth-memory soak fuzz-library test-proof

## All of these in turn, then one table; ROUNDS, FORKS, EXITS, FUZZ_SECONDS and MINUTES shorten it
proof: export MINUTES := 10
proof: export FUZZ_SECONDS := 300
proof:
	python3 -B make/proof.py $(MAKE)

$(PROOF_OUT)/%: tests/proof/%.c $(wildcard tests/proof/*.h tests/c/support/*.h) include/palitra.h | all jobs
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 -g -Wall -Wextra -Werror -pthread -Iinclude -Itests/c/support $< -o $@ \
		-L$(PALITRA_LIBRARY_DIR) -l$(PROOF_LIBRARY) -Wl,-rpath,$(PALITRA_LIBRARY_DIR)

$(PROOF_OUT)/storms $(PROOF_OUT)/flat $(PROOF_OUT)/soak: PROOF_LIBRARY := palitra_test_jobs
$(PROOF_OUT)/faults: PROOF_LIBRARY := palitra

# The fuzzing programs with the library as it ships, which tells them nothing of its branches: they vary the corpora.
$(FUZZ_OUT)/plain/fuzz-%: tests/fuzz/%.c tests/fuzz/fuzz.h include/palitra.h | all
	@mkdir -p $(@D)
	$(FUZZ_PROGRAM) -L$(PALITRA_LIBRARY_DIR) -lpalitra -Wl,-rpath,$(PALITRA_LIBRARY_DIR)

## A minute of fuzzing and three of the soak in C, which `make test` runs beside the tests
test-proof: $(FUZZ_OUT)/plain/fuzz-abi $(FUZZ_OUT)/plain/fuzz-http $(PROOF_OUT)/soak
	tests/fuzz/run.sh $(FUZZ_OUT)/plain 30
	@echo "== what fuzzing tries held in a short proof, 2"
	$(PROOF_OUT)/soak 3
	@echo "== mixed load held in a short proof, 1"

## A whole runner with its hosts in SEEDS times a hundred orders of events, each of which a seed plays again
simulation: export PALITRA_SEEDS := $(SEEDS)
simulation:
	$(SIMULATION)

## The lives of one seed that `make simulation` named: PALITRA_SEED=N make proof-replay
proof-replay: export PALITRA_SEED := $(or $(PALITRA_SEED),0)
proof-replay:
	$(SIMULATION)

## Plants errors in the sources, one after the other, and has the simulation find each
planted:
	tests/proof/planted.sh

## How much of src the tests reach, and each place of ROOMS that none does; needs `rustup component add llvm-tools`
coverage:
	python3 -B tests/proof/coverage.py target/coverage $(ROOMS)

## Which small changes of the sources no test of Rust and C notices, in part SHARD of SHARDS; needs cargo-gamma
mutants:
	tests/proof/mutants.sh target/mutants $(SHARD) $(SHARDS)

## The same of SAMPLE changes of Python's loop, drawn by SEED; brings cosmic-ray
mutants-python: export COSMIC_RAY := $(CURDIR)/$(MUTANTS_ENVIRONMENT)/bin/cosmic-ray
mutants-python: all jobs $(PYTHON_ENVIRONMENT)/made $(MUTANTS_ENVIRONMENT)/made
	$(PYTHON_BIN)/python -B tests/proof/mutants.py target/mutants-python $(SAMPLE) $(SEED)

## Sixteen threads at a runner that is shut down ROUNDS times, under signals; FORKS and EXITS of nine languages
storms: $(PROOF_OUT)/storms $(GO_ENVIRONMENT)/made
	python3 -B tests/proof/silent.py $(PROOF_OUT)/storms $(ROUNDS)
	python3 -B tests/proof/endings.py $(FORKS) $(EXITS)

## Each system call of a scenario fails once, memory is refused, limits are reached: NAME=read for a part
faults: $(PROOF_OUT)/faults
	$(PROOF_OUT)/faults $(NAME)

## Memory, threads and descriptors over a million operations of every path, and over 10,000 runners
growth-memory: $(PROOF_OUT)/flat
	$(PROOF_OUT)/flat

## MINUTES of mixed load in C, and of all scenarios in every language: latency, memory and threads, as tables and plots
soak: export NO_PROXY := 127.0.0.1,localhost
soak: $(PROOF_OUT)/soak $(GO_ENVIRONMENT)/made
	python3 -B tests/proof/soak.py $(PROOF_OUT)/soak $(MINUTES)

fuzz-library:
	tests/fuzz/build.sh $(FUZZ_OUT)

$(FUZZ_OUT)/fuzz-%: tests/fuzz/%.c tests/fuzz/fuzz.h include/palitra.h | fuzz-library
	$(FUZZ_PROGRAM) -L$(FUZZ_LIBRARY) -lpalitra -Wl,-rpath,$(FUZZ_LIBRARY)

## Fuzzes the ABI and what the HTTP jobs read, FUZZ_SECONDS each, from the corpora of tests/fuzz
fuzz: $(FUZZ_OUT)/fuzz-abi $(FUZZ_OUT)/fuzz-http
	tests/fuzz/run.sh $(FUZZ_OUT) $(FUZZ_SECONDS)

## Every input of the corpora once
fuzz-replay: $(FUZZ_OUT)/fuzz-abi $(FUZZ_OUT)/fuzz-http
	tests/fuzz/run.sh $(FUZZ_OUT) 0

## Adds what `make fuzz` has found to the inputs of tests/fuzz/grown, and keeps as few of them as reach as much
fuzz-grow: $(FUZZ_OUT)/fuzz-abi $(FUZZ_OUT)/fuzz-http
	tests/fuzz/grow.sh $(FUZZ_OUT)

## How much of each room of src the corpora reach
fuzz-coverage: $(FUZZ_OUT)/fuzz-abi $(FUZZ_OUT)/fuzz-http
	python3 -B tests/fuzz/coverage.py $(FUZZ_OUT)
