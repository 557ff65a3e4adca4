#!/bin/sh
# Installs what the tests need and a machine may lack. A tool that cannot be had fails with its name: no test
# is skipped for want of it.
set -eu

missing=
packages=

# What stands for a package: a tool, a daemon whose name ends with its version, a library that pkg-config knows, a module
# of Python, an extension of PHP, a library of Ruby, a module of Perl, or a file where nothing else does.
has_tool() { command -v "$1" >/dev/null 2>&1; }
has_daemon() { ls "/usr/sbin/$1"* >/dev/null 2>&1; }
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_python_module() { python3 -c "import $1" 2>/dev/null; }
has_php_extension() { php -m 2>/dev/null | grep -q "^$1\$"; }
has_ruby_library() { ruby -e "require '$1'" 2>/dev/null; }
has_perl_module() { perl "-M$1" -e1 2>/dev/null; }
has_file() { [ -e "$1" ]; }

need() { # one of the kinds above, the name, the package
    if ! "has_$1" "$2"; then
        missing="$missing $1:$2"
        packages="$packages $3"
    fi
}

need tool cc gcc
need tool gcc gcc
need tool abidiff abigail-tools
need tool git git
need tool g++ g++
need tool clang clang
need tool clang++ clang
need tool make make
need tool nm binutils
need tool nginx nginx-light
need tool node nodejs
need tool npm npm
need tool javac openjdk-17-jdk-headless
need tool luajit luajit
need tool luacheck lua-check
need tool luarocks luarocks
need tool perlcritic libperl-critic-perl
need tool perltidy perltidy
need perl_module FFI::Platypus libffi-platypus-perl
need perl_module AnyEvent libanyevent-perl
need tool openssl openssl
need tool python3 python3
need tool redis-server redis-server
need tool ruby ruby
need tool gem ruby
need tool rubocop rubocop
need tool puma puma
need tool php php-cli
need daemon php-fpm php-fpm
need tool phpcs php-codesniffer
need tool valgrind valgrind
need tool wrk wrk
need tool pkg-config pkg-config
need python_module ensurepip python3-venv
need php_extension FFI php-cli
need php_extension curl php-curl
need ruby_library ffi ruby-ffi
need ruby_library async ruby-async
need ruby_library minitest ruby-minitest
need tool clang++-19 clang-19
need tool cmake cmake
need file /usr/include/doctest/doctest.h doctest-dev
need file /usr/share/java/jna.jar libjna-java
need file /usr/share/java/junit-platform-console-standalone.jar junit5
need file "$(dirname "$(dirname "$(command -v node || echo /usr/bin/node)")")/include/node/node_api.h" libnode-dev
need file /usr/include/asio.hpp libasio-dev
need file /usr/include/boost/asio.hpp libboost-dev
need file /usr/lib/llvm-19/include/c++/v1/version libc++-19-dev
need file /usr/lib/llvm-19/lib/libc++abi.so libc++abi-19-dev
need file /usr/lib/llvm-19/lib/clang/19/lib/linux/"libclang_rt.tsan-$(uname -m).a" libclang-rt-19-dev
need file "/usr/lib/$(uname -m)-linux-gnu/lua/5.1/cjson.so" lua-cjson
need file "/usr/lib/$(uname -m)-linux-gnu/lua/5.1/luv.so" lua-luv
need library nlohmann_json nlohmann-json3-dev
need library libuv libuv1-dev
need library glib-2.0 libglib2.0-dev

# What `make test-services` needs beside that.
if [ "${1:-}" = services ]; then
    need tool nats-server nats-server
    need tool setpriv util-linux
    # Debian keeps it outside the path, in a folder of its version.
    postgres=$(find /usr/lib/postgresql -name postgres -path '*/bin/*' 2>/dev/null | head -n 1)
    need file "${postgres:-/usr/lib/postgresql/15/bin/postgres}" postgresql-15
fi

# What `make docs` and `make test-docs` need beside that.
if [ "${1:-}" = docs ]; then
    need tool doxygen doxygen
    need tool chromium chromium
fi

require_versions() {
    if ! node -e 'process.exit(Number.parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
        echo "tests/setup.sh: node is older than 20: $(node --version)" >&2
        exit 1
    fi
}

if [ -z "$packages" ]; then
    require_versions
    exit 0
fi
echo "tests/setup.sh: installing$packages"
if command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # one word a package
    {
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
    } >&2 || true
fi
for each in $missing; do
    if ! "has_${each%%:*}" "${each#*:}"; then
        echo "tests/setup.sh: the ${each%%:*} ${each#*:} is missing and could not be installed" >&2
        exit 1
    fi
done
require_versions
