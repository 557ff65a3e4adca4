#!/bin/sh
# Fuzzes for so many seconds each, from the committed corpora; 0: every input of them once.
#
#     tests/fuzz/run.sh FOLDER SECONDS
#
# What is found besides is kept in FOLDER/found; an input that fails is written there as crash-, timeout- or leak-.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?where the programs are}
seconds=${2:?how long}

# Tokens, runners and replies that the library has for as long as the process lives are no leaks of an input.
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:handle_abort=1" RUST_BACKTRACE=0
for target in abi http; do
    found=$folder/found/$target
    mkdir -p "$found"
    echo "== $target"
    if [ "$seconds" -eq 0 ]; then
        "$folder/fuzz-$target" -runs=0 -timeout=30 -artifact_prefix="$found/" "$here/corpus/$target" 2>&1 | tail -3
    else
        "$folder/fuzz-$target" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -max_len=600 \
            -print_final_stats=1 -artifact_prefix="$found/" \
            "$found" "$here/corpus/$target" >"$folder/$target.log" 2>&1 ||
            { tail -60 "$folder/$target.log"; exit 1; }
        grep -E "^#[0-9]+.*(INITED|DONE)|stat::(number_of|average)" "$folder/$target.log"
    fi
done
