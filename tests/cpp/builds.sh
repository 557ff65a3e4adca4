#!/bin/sh
# builds.cpp compiles without a warning and does what it should with compilers and flags that the other tests do not see.
#
#     builds.sh       PALITRA_LIBRARY_DIR: where libpalitra.so is (default: target/release)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
libraries=${PALITRA_LIBRARY_DIR:-$root/target/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # compiler and flags
    if ! "$@" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -pthread -I "$root/include" \
        -I "$root/bindings/cpp/include" "$root/tests/cpp/builds.cpp" -o "$work/builds" \
        -L "$libraries" -Wl,-rpath,"$libraries" -lpalitra || ! timeout 60 "$work/builds"; then
        echo "builds.sh: $*" >&2
        exit 1
    fi
}

gcc=${CPP_GCC:-g++} clang=${CPP_CLANG:-clang++-19}
build "$gcc" -std=c++17 -fcoroutines
build "$gcc" -std=c++20 -fno-exceptions -fno-rtti
build "$gcc" -std=c++23
build "$clang" -std=c++17 -fno-exceptions -fno-rtti
build "$clang" -std=c++23 -stdlib=libc++ -Wshadow-all
echo "the binding builds with coroutines in C++17, without exceptions, with libc++ and beside macros of its names"
