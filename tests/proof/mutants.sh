#!/bin/sh
# Changes the sources in small ways, one at a time, and reports which changes the tests notice: mutation testing.
#
#     tests/proof/mutants.sh FOLDER SHARD SHARDS
#
# SHARD of SHARDS, counted from 0, is a sample of the changes of token, runner, flight, queue and ffi. cargo-gamma
# (`cargo install cargo-gamma`) builds all of them at once, into FOLDER, each behind a condition that the environment
# sets; so the programs of tests/c, which load the library, judge them too. A change that no test notices is printed as
# SURVIVED.
set -eu

folder=${1:?where to build} shard=${2:?which part} shards=${3:?of how many parts}
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v cargo-gamma >/dev/null || { echo "mutants.sh: cargo-gamma is missing: cargo install cargo-gamma" >&2; exit 1; }

mkdir -p "$folder/lib"
folder=$(cd "$folder" && pwd)
for library in libpalitra.so libpalitra_test_jobs.so; do
    ln -sf "$folder/cache/target/debug/deps/$library" "$folder/lib/$library"
done
ln -sf libpalitra.so "$folder/lib/libpalitra.so.1"

set --
for room in token runner queue ffi; do set -- "$@" --file "src/$room.rs" --file "src/$room/**"; done
# Not tests/process.rs: a library that asks its environment which change it has fails there, whatever the change.
for test in palitra rust properties c panic_hook; do set -- "$@" --include-test "$test"; done
cd "$root"
cargo fetch --quiet
# What measures time, or is for valgrind, is not for a library that asks at each step whether it is changed.
NO_PROXY=127.0.0.1,localhost PALITRA_LIBRARY_DIR=$folder/lib CARGO_PROFILE_DEV_OPT_LEVEL=1 \
    cargo gamma run --package palitra --file src/flight.rs "$@" --shard-count "$shards" --shard-index "$shard" \
    --cache-dir "$folder/cache" --artifact-dir "$folder/report" --memory off --minimum-test-timeout 60 \
    --progress never --color never -- --skip memory:: --skip run::small_stacks --skip runner::spinning \
    --skip scheduler::fairness --skip that_installs_a_handler
