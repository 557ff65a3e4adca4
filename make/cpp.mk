##@ C++

# Each test program is built in three ways: by gcc as C++17, by gcc as C++20 where it needs that, and whole by clang as
# C++20 with the sanitizers for addresses and undefined behaviour. The last has the tests of asio with Boost.Asio beside
# those with asio; `make test-cpp CPP_ASIO="-isystem FOLDER"` takes the asio or the Boost of that folder.
# `make test-cpp-long` builds every file in every way: with those sanitizers by each compiler for each standard, with
# which gcc takes up to twice as long, and with ThreadSanitizer, with which it builds the library, too. Other libraries
# are made only where they are missing, as for install.

CPP_GCC ?= g++
# Debian 12's default clang, 14, cannot compile the coroutines and ranges of the standard library beside it.
CPP_CLANG ?= clang++-19
CPP_OUT ?= target/cpp
TSAN_DIR ?= target/tsan

# Where another asio is than the system's.
CPP_ASIO ?=
# Where stdexec is, in whose place the tests have what palitra asks of it.
CPP_STDEXEC ?= tests/cpp/stand_in

CPP_FLAGS := $(CPP_ASIO) -isystem $(CPP_STDEXEC) -g1 -O0 -Wall -Wextra -Wpedantic -Wconversion -Werror -pthread
CPP_FLAGS += -Iinclude -Ibindings/cpp/include
CPP_ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all
# Anything: every file in every way.
CPP_LONG ?=
# asio 1.22 does not know that clang has had coroutines since.
CPP_COROUTINES := -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1
CPP_HEADERS := $(wildcard bindings/cpp/include/*.hpp bindings/cpp/include/palitra/*) include/palitra.h \
	tests/cpp/support.hpp tests/cpp/coroutines.hpp tests/cpp/asio.cpp
CPP_UNITS := calls ownership many callbacks typed coroutine asio execution
# What gcc compiles as C++17 and as C++20, and with which sanitizers.
CPP_UNITS_20 := $(if $(CPP_LONG),$(CPP_UNITS),coroutine execution)
CPP_UNITS_17 := $(if $(CPP_LONG),$(CPP_UNITS),$(filter-out $(CPP_UNITS_20),$(CPP_UNITS)))
CPP_OTHERS := $(if $(CPP_LONG),$(CPP_ASAN))
CPP_WRAP := -Wl,--wrap=__cxa_end_catch,--wrap=_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv

# One way: its name, the compiler and its flags, the folder of the library, how to link, and further objects; then the
# tests' main, which is doctest itself and takes longer to compile than most tests, and last the tests.
define cpp_way
CPP_OBJECTS += $(7:%=$(CPP_OUT)/$(1)/%.o) $(CPP_OUT)/$(1)/endings.o $(CPP_OUT)/$(6)/main.o
CPP_PROGRAMS += $(CPP_OUT)/$(1)/tests $(CPP_OUT)/$(1)/endings
$(CPP_OUT)/$(1)/%.o: tests/cpp/%.cpp $(CPP_HEADERS) make/cpp.mk
	@mkdir -p $$(@D)
	$(2) $(CPP_FLAGS) -c $$< -o $$@
$(CPP_OUT)/$(1)/tests: $(7:%=$(CPP_OUT)/$(1)/%.o) $(CPP_OUT)/$(6)/main.o $(5)
$(CPP_OUT)/$(1)/endings: $(CPP_OUT)/$(1)/endings.o $(5)
$(CPP_OUT)/$(1)/tests $(CPP_OUT)/$(1)/endings:
	$(2) $$^ -o $$@ -L$(3) -Wl,-rpath,$(abspath $(3)) -lpalitra_test_jobs -pthread $(4)
endef

$(eval $(call cpp_way,gcc17,$(CPP_GCC) -std=c++17 $(CPP_OTHERS),$(PALITRA_LIBRARY_DIR),,,gcc,$(CPP_UNITS_17)))
$(eval $(call cpp_way,gcc20,$(CPP_GCC) -std=c++20 $(CPP_OTHERS),$(PALITRA_LIBRARY_DIR),,,gcc,$(CPP_UNITS_20)))
ifdef CPP_LONG
$(eval $(call cpp_way,clang17,$(CPP_CLANG) -std=c++17 $(CPP_OTHERS),$(PALITRA_LIBRARY_DIR),,,clang,$(CPP_UNITS)))
$(eval $(call cpp_way,tsan,$(CPP_CLANG) -std=c++20 -fsanitize=thread $(CPP_COROUTINES),$(TSAN_DIR)/lib,$(CPP_WRAP),$(CPP_OUT)/tsan/exceptions.o,tsan,$(CPP_UNITS)))
endif
$(eval $(call cpp_way,clang20,$(CPP_CLANG) -std=c++20 $(CPP_ASAN) $(CPP_COROUTINES),$(PALITRA_LIBRARY_DIR),,,clang,$(CPP_UNITS)))

CPP_OBJECTS += $(CPP_OUT)/clang20/boost_asio.o
$(CPP_OUT)/clang20/tests: $(CPP_OUT)/clang20/boost_asio.o

$(CPP_OUT)/gcc/main.o: tests/cpp/main.cpp
	@mkdir -p $(@D)
	$(CPP_GCC) -std=c++17 $(CPP_FLAGS) -c $< -o $@

$(CPP_OUT)/clang/main.o: tests/cpp/main.cpp
	@mkdir -p $(@D)
	$(CPP_CLANG) -std=c++17 $(CPP_FLAGS) -c $< -o $@

$(CPP_OUT)/tsan/exceptions.o: tests/cpp/tsan/exceptions.cpp
	@mkdir -p $(@D)
	$(CPP_CLANG) -std=c++20 -fsanitize=thread $(CPP_FLAGS) -c $< -o $@

$(PALITRA_LIBRARY_DIR)/libpalitra_test_jobs.so:
	$(MAKE) jobs

# Cargo knows itself what is out of date.
.PHONY: tsan-library
tsan-library:
	tests/cpp/tsan/build.sh $(TSAN_DIR)
	ln -sfn "$$(rustc -vV | sed -n 's/^host: //p')/release" $(TSAN_DIR)/lib

.PHONY: test-cpp test-cpp-long cpp-objects cpp-programs lint-cpp format-cpp

## The C++ binding, what `make install` leaves, and the examples in C++
test-cpp: $(PALITRA_LIBRARY_DIR)/libpalitra.so $(PALITRA_LIBRARY_DIR)/libpalitra.a \
		$(PALITRA_LIBRARY_DIR)/libpalitra_test_jobs.so
	@# Compilers wait for the tests beside them, which have watches.
	+nice $(MAKE) --no-print-directory -j2 $(if $(CPP_LONG),tsan-library) cpp-objects
	+nice $(MAKE) --no-print-directory -j2 cpp-programs
	set -e; for program in $(CPP_PROGRAMS); do echo $$program; NO_PROXY=127.0.0.1 timeout 120 $$program; done
	tests/cpp/macros.sh $(CPP_GCC) -std=c++17
	tests/cpp/macros.sh $(CPP_GCC) -std=c++20
	tests/cpp/macros.sh $(CPP_CLANG) -std=c++20
	CPP_GCC=$(CPP_GCC) CPP_CLANG=$(CPP_CLANG) tests/cpp/builds.sh
	tests/cpp/module.sh $(CPP_CLANG)
	CC=gcc CXX=$(CPP_CLANG) tests/cpp/installed/check.sh
	tests/cpp/examples.sh

## The same in every way, with every sanitizer
test-cpp-long:
	$(MAKE) test-cpp CPP_OUT=target/cpp-long CPP_LONG=yes

cpp-programs: $(CPP_PROGRAMS)
cpp-objects: $(CPP_OBJECTS)

# Not those that include what is installed elsewhere, or written by palitra bindgen. Headers of C are for lint-c.
CPP_TIDY = $(filter-out cli/tests/% tests/cpp/installed/%,$(filter %.cpp,$(CPP_FILES)))
CPP_TIDY_FLAGS := -std=c++20 $(CPP_COROUTINES) -pthread -Iinclude -Ibindings/cpp/include -Itests/c/support
CPP_TIDY_FLAGS += -isystem $(CPP_STDEXEC)

## clang-format and clang-tidy
lint-cpp: $(TOOLS)/made
	$(CLANG_FORMAT) --dry-run --Werror $(CPP_FILES)
	echo $(CPP_TIDY) | xargs -n 2 -P 2 sh -c '$(CLANG_TIDY) --header-filter="[.]hpp$$" "$$@" -- $(CPP_TIDY_FLAGS)' clang-tidy

## clang-format
format-cpp: $(TOOLS)/made
	$(CLANG_FORMAT) -i $(CPP_FILES)
