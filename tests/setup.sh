#!/bin/sh
# Installs what the tests need and a machine may lack. A tool that cannot be had fails with its name: no test
# is skipped for want of it.
set -eu

missing=
missing_libraries=
missing_modules=
missing_files=
packages=
need() { # tool package
    if ! command -v "$1" >/dev/null 2>&1; then
        missing="$missing $1"
        packages="$packages $2"
    fi
}

need_library() { # pkg-config's name, package
    if ! pkg-config --exists "$1" 2>/dev/null; then
        missing_libraries="$missing_libraries $1"
        packages="$packages $2"
    fi
}

need_module() { # Python's name, package
    if ! python3 -c "import $1" 2>/dev/null; then
        missing_modules="$missing_modules $1"
        packages="$packages $2"
    fi
}

# A header or a library that no tool stands for and pkg-config does not know.
need_file() { # path, package
    if [ ! -e "$1" ]; then
        missing_files="$missing_files $1"
        packages="$packages $2"
    fi
}

need cc gcc
need gcc gcc
need git git
need g++ g++
need clang clang
need clang++ clang
need make make
need nm binutils
need nginx nginx-light
need openssl openssl
need python3 python3
need redis-server redis-server
need valgrind valgrind
need wrk wrk
need pkg-config pkg-config
need_module ensurepip python3-venv
need clang++-19 clang-19
need cmake cmake
need_file /usr/include/doctest/doctest.h doctest-dev
need_file /usr/include/asio.hpp libasio-dev
need_file /usr/include/boost/asio.hpp libboost-dev
need_file /usr/lib/llvm-19/include/c++/v1/version libc++-19-dev
need_file /usr/lib/llvm-19/lib/libc++abi.so libc++abi-19-dev
need_file /usr/lib/llvm-19/lib/clang/19/lib/linux/"libclang_rt.tsan-$(uname -m).a" libclang-rt-19-dev
need_library nlohmann_json nlohmann-json3-dev
need_library libuv libuv1-dev
need_library glib-2.0 libglib2.0-dev

[ -n "$packages" ] || exit 0
echo "tests/setup.sh: installing$packages"
if command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # one word a package
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
    } >&2 || true
fi
for tool in $missing; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "tests/setup.sh: $tool is missing and could not be installed" >&2
        exit 1
    fi
done
for library in $missing_libraries; do
    if ! pkg-config --exists "$library"; then
        echo "tests/setup.sh: the library $library is missing and could not be installed" >&2
        exit 1
    fi
done
for module in $missing_modules; do
    if ! python3 -c "import $module"; then
        echo "tests/setup.sh: Python's module $module is missing and could not be installed" >&2
        exit 1
    fi
done
for file in $missing_files; do
    if [ ! -e "$file" ]; then
        echo "tests/setup.sh: $file is missing and could not be installed" >&2
        exit 1
    fi
done
