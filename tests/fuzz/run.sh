#!/bin/sh
# Fuzzes for so many seconds each, from the inputs of tests/fuzz/corpus, which people wrote, and tests/fuzz/grown, which
# fuzzing found; 0: every input of them once.
#
#     tests/fuzz/run.sh FOLDER SECONDS
#
# What is found besides is kept in FOLDER/found; an input that fails is written there as crash-, timeout- or leak-.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?where the programs are}
seconds=${2:?how long}

export RUST_BACKTRACE=0
for target in abi http; do
    found=$folder/found/$target
    log=$folder/$target.log
    words=$here/$target.dict
    mkdir -p "$found"
    echo "== $target"
    if [ "$seconds" -eq 0 ]; then
        set -- -runs=0
    else
        set -- -max_total_time="$seconds" -max_len=600 -print_final_stats=1 "$found"
        [ ! -f "$words" ] || set -- -dict="$words" "$@"
    fi
    "$folder/fuzz-$target" "$@" -timeout=120 -rss_limit_mb=2048 -artifact_prefix="$found/" "$here/corpus/$target" \
        "$here/grown/$target" >"$log" 2>&1 || { tail -60 "$log"; exit 1; }
    grep -E "^#[0-9]+.*(INITED|DONE)|stat::(number_of|average)" "$log"
done
