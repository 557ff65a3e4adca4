#!/usr/bin/env bash
# Compiles what interpreters in scripting languages call beneath their binding: beneath.sh FILE.so
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p "$(dirname "$1")"
libraries=${PALITRA_LIBRARY_DIR:-$PWD/target/release}
# Its threads and functions may be running when an interpreter that exits unloads it: it stays mapped, as palitra does.
flags=(-std=c11 -D_GNU_SOURCE -O1 -fPIC -shared -pthread -Wall -Wextra -Werror -Iinclude "-Wl,-z,nodelete")
# To a name of its own first: several interpreters may be built at the same time.
"${CC:-cc}" "${flags[@]}" tests/conformance/beneath.c -o "$1.$$" -L"$libraries" -lpalitra_test_jobs
mv "$1.$$" "$1"
