#!/bin/sh
# builds.cpp compiles without a warning and does what it should with compilers and flags that the other tests do not
# see; mixed.cpp does so built twice for one program, with and without exceptions.
#
#     builds.sh       PALITRA_LIBRARY_DIR: where libpalitra.so is (default: target/release)
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
libraries=${PALITRA_LIBRARY_DIR:-$root/target/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -pthread"

link() { # compiler, flags and files
    # shellcheck disable=SC2086 # one word a flag
    if ! "$@" $flags -I "$root/include" -I "$root/bindings/cpp/include" -o "$work/builds" -L "$libraries" \
        -Wl,-rpath,"$libraries" -lpalitra || ! timeout 60 "$work/builds"; then
        echo "builds.sh: $*" >&2
        exit 1
    fi
}

build() { # compiler and flags
    link "$@" "$root/tests/cpp/builds.cpp"
}

mix() { # compiler and flags
    # shellcheck disable=SC2086 # one word a flag
    for exceptions in exceptions no-exceptions; do
        "$@" $flags "-f$exceptions" -I "$root/include" -I "$root/bindings/cpp/include" -c "$root/tests/cpp/mixed.cpp" \
            -o "$work/$exceptions.o"
    done
    link "$@" "$work/exceptions.o" "$work/no-exceptions.o"
    link "$@" "$work/no-exceptions.o" "$work/exceptions.o"
}

gcc=${CPP_GCC:-g++} clang=${CPP_CLANG:-clang++-19}
build "$gcc" -std=c++17 -fcoroutines
build "$gcc" -std=c++20 -fno-exceptions -fno-rtti
build "$gcc" -std=c++23
build "$clang" -std=c++17 -fno-exceptions -fno-rtti
build "$clang" -std=c++23 -stdlib=libc++ -Wshadow-all
mix "$gcc" -std=c++17
mix "$clang" -std=c++20
echo "the binding builds with coroutines in C++17, with libc++, beside macros of its names," \
    "and without exceptions, also beside files that have them"
