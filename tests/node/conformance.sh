#!/usr/bin/env bash
# Lays out the Node binding of the tree, and what its interpreter of the scenarios calls beneath it, in
# target/node/conformance.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/node/conformance
native=$out/native/$(node -p 'process.platform + "-" + process.arch')
include=$(node -p 'require("path").resolve(process.execPath, "../../include/node")')
flags=(-std=c11 -D_GNU_SOURCE -O1 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -Iinclude -I"$include")

mkdir -p "$native"
cp -r bindings/node/package.json bindings/node/lib "$out"
"${CC:-cc}" "${flags[@]}" bindings/node/src/*.c -o "$native/palitra.node"
"${CC:-cc}" "${flags[@]}" -pthread -Ibindings/node/src tests/node/beneath.c tests/conformance/beneath.c \
    -o "$out/beneath.node" -L"${PALITRA_LIBRARY_DIR:-$PWD/target/release}" -lpalitra_test_jobs
