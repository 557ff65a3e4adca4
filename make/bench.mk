##@ Benchmarks

BENCH_PROGRAM := target/bench/speed
BENCH_SOURCES := $(wildcard benches/*.cpp)
BENCH_HEADERS := $(wildcard benches/*.hpp bindings/cpp/include/palitra/*.hpp) include/palitra.h

.PHONY: bench bench-http bench-rivals growth

## palitra beside its rivals, as one table of ratios; PLOT=FILE.svg draws them
bench: $(BENCH_PROGRAM)
	python3 -B benches/report.py $(BENCH_PROGRAM) $(if $(PLOT),--plot $(PLOT))

# The libraries are made first but are no reason to build the program again: it finds them when it starts,
# relative to itself, so that perf and valgrind can run it from anywhere.
$(BENCH_PROGRAM): $(BENCH_SOURCES) $(BENCH_HEADERS) | all bench-rivals
	mkdir -p $(@D)
	$(CXX) -std=c++20 -O2 -g -Wall -Wextra -Werror -pedantic -pthread -DASIO_STANDALONE -Iinclude \
		-Ibindings/cpp/include $(BENCH_SOURCES) -o $@ \
		-Ltarget/release -lpalitra -lpalitra_rivals -Wl,-rpath,'$$ORIGIN/../release'

# Out of the same release profile as palitra, so neither side has a better compiler than the other. Cargo knows itself
# what is out of date.
bench-rivals:
	cargo build --release --package palitra-rivals

## HTTP jobs beside libcurl, bare hyper, pycurl, aiohttp and Go's net/http, against an nginx of its own
bench-http: target/bench/http installed-wheel bench-rivals $(GO_ENVIRONMENT)/made
	ln -sf ../release/http_hyper target/bench/http_hyper
	GO_DIRECTORY=$(CURDIR)/benches/http_go tests/go/go.sh library go build -o $(CURDIR)/target/bench/http_go .
	python3 -B benches/http_report.py target/bench $(PYTHON_BIN)/python

target/bench/http: benches/http_requests.c include/palitra.h | all
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -g -Wall -Wextra -Werror -pedantic -pthread -Iinclude $< -o $@ \
		-Ltarget/release -lpalitra -ldl -Wl,-rpath,'$$ORIGIN/../release'

## What one item costs while their number grows to a million; fails where that is not linear
growth: target/bench/growth
	python3 -B benches/growth.py $< $(if $(PLOT),--plot $(PLOT))

target/bench/growth: benches/growth.c $(wildcard tests/c/support/*.h) include/palitra.h | all
	mkdir -p $(@D)
	$(CC) -std=c11 -O2 -g -Wall -Wextra -Werror -pedantic -pthread -Iinclude $< -o $@ \
		-Ltarget/release -lpalitra -Wl,-rpath,'$$ORIGIN/../release'
